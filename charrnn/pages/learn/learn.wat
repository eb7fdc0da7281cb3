;; The arithmetic of trainer.js with SIMD. `make kernel` makes learn.wasm and fused.wasm of shared/kernel.wat and of
;; this.
;; Sixteen texts are read at once: what belongs to them is a matrix [rows, 16], float32, 64 bytes a row.
;; Four short forms are spelled out by .make/learn-wat:
;;   (madd $a $b $c)            a += b * c, of four numbers
;;   (step $p 4)                p += 4
;;   (next $loop $p 4 $end)     p += 4, and again from $loop on if p < end
;;   (down $loop $n 4)          n -= 4, and again from $loop on if n > 0

  ;; y[r, n] += sum over k of m[r, k] * x[k, n]: m [rows, columns], x [columns, 16]. Two rows are done at a time.
  (func (export "addProduct") (param $m i32) (param $x i32) (param $y i32) (param $rows i32) (param $columns i32)
    (local $k i32) (local $end i32) (local $width i32) (local $s v128)
    (local $x0 v128) (local $x1 v128) (local $x2 v128) (local $x3 v128) (local $a0 v128) (local $a1 v128)
    (local $a2 v128) (local $a3 v128) (local $b0 v128) (local $b1 v128) (local $b2 v128) (local $b3 v128)
    (local.set $width (i32.shl (local.get $columns) (i32.const 2)))
    (local.set $end (i32.add (local.get $x) (i32.shl (local.get $columns) (i32.const 6))))
    (loop $row
      (local.set $a0 (v128.load (local.get $y))) (local.set $b0 (v128.load offset=64 (local.get $y)))
      (local.set $a1 (v128.load offset=16 (local.get $y))) (local.set $b1 (v128.load offset=80 (local.get $y)))
      (local.set $a2 (v128.load offset=32 (local.get $y))) (local.set $b2 (v128.load offset=96 (local.get $y)))
      (local.set $a3 (v128.load offset=48 (local.get $y))) (local.set $b3 (v128.load offset=112 (local.get $y)))
      (local.set $k (local.get $x))
      (loop $column
        (local.set $x0 (v128.load (local.get $k))) (local.set $x1 (v128.load offset=16 (local.get $k)))
        (local.set $x2 (v128.load offset=32 (local.get $k))) (local.set $x3 (v128.load offset=48 (local.get $k)))
        (local.set $s (v128.load32_splat (local.get $m)))
        (madd $a0 $s $x0) (madd $a1 $s $x1) (madd $a2 $s $x2) (madd $a3 $s $x3)
        (local.set $s (v128.load32_splat (i32.add (local.get $m) (local.get $width))))
        (madd $b0 $s $x0) (madd $b1 $s $x1) (madd $b2 $s $x2) (madd $b3 $s $x3)
        (step $m 4)
        (next $column $k 64 $end))
      (v128.store (local.get $y) (local.get $a0)) (v128.store offset=64 (local.get $y) (local.get $b0))
      (v128.store offset=16 (local.get $y) (local.get $a1)) (v128.store offset=80 (local.get $y) (local.get $b1))
      (v128.store offset=32 (local.get $y) (local.get $a2)) (v128.store offset=96 (local.get $y) (local.get $b2))
      (v128.store offset=48 (local.get $y) (local.get $a3)) (v128.store offset=112 (local.get $y) (local.get $b3))
      (step $y 128)
      (local.set $m (i32.add (local.get $m) (local.get $width)))
      (down $row $rows 2)))

  ;; y[r, k] = sum over t and n of a[t, r, n] * b[t, k, n], the gradient of a matrix [rows, columns]. From t to t + 1 are
  ;; `stepA` and `stepB` bytes. Four rows and two columns are done at a time.
  (func (export "outerProduct") (param $a i32) (param $b i32) (param $y i32) (param $rows i32) (param $columns i32)
    (param $steps i32) (param $stepA i32) (param $stepB i32)
    (local $k i32) (local $t i32) (local $p i32) (local $q i32) (local $end i32) (local $width i32) (local $u v128)
    (local $v v128) (local $w v128) (local $a0 v128) (local $a1 v128) (local $b0 v128) (local $b1 v128)
    (local $c0 v128) (local $c1 v128) (local $d0 v128) (local $d1 v128)
    (local.set $width (i32.shl (local.get $columns) (i32.const 2)))
    (loop $row
      (local.set $k (i32.const 0))
      (loop $column
        (local.set $a0 (local.tee $b0 (local.tee $c0 (local.tee $d0 (v128.const i32x4 0 0 0 0)))))
        (local.set $a1 (local.tee $b1 (local.tee $c1 (local.tee $d1 (local.get $a0)))))
        (local.set $p (local.get $a))
        (local.set $q (i32.add (local.get $b) (i32.shl (local.get $k) (i32.const 6))))
        (local.set $t (local.get $steps))
        (loop $time
          (local.set $end (i32.add (local.get $p) (i32.const 64)))
          (loop $texts
            (local.set $v (v128.load (local.get $q))) (local.set $w (v128.load offset=64 (local.get $q)))
            (local.set $u (v128.load (local.get $p))) (madd $a0 $u $v) (madd $a1 $u $w)
            (local.set $u (v128.load offset=64 (local.get $p))) (madd $b0 $u $v) (madd $b1 $u $w)
            (local.set $u (v128.load offset=128 (local.get $p))) (madd $c0 $u $v) (madd $c1 $u $w)
            (local.set $u (v128.load offset=192 (local.get $p))) (madd $d0 $u $v) (madd $d1 $u $w)
            (step $q 16)
            (next $texts $p 16 $end))
          (local.set $p (i32.add (local.get $p) (i32.sub (local.get $stepA) (i32.const 64))))
          (local.set $q (i32.add (local.get $q) (i32.sub (local.get $stepB) (i32.const 64))))
          (down $time $t 1))
        (local.set $p (local.get $y))
        (call $storePair (local.get $p) (local.get $a0) (local.get $a1))
        (call $storePair (local.tee $p (i32.add (local.get $p) (local.get $width))) (local.get $b0) (local.get $b1))
        (call $storePair (local.tee $p (i32.add (local.get $p) (local.get $width))) (local.get $c0) (local.get $c1))
        (call $storePair (local.tee $p (i32.add (local.get $p) (local.get $width))) (local.get $d0) (local.get $d1))
        (step $y 8)
        (next $column $k 2 $columns))
      (local.set $y (i32.add (local.get $y) (i32.mul (local.get $width) (i32.const 3))))
      (step $a 256)
      (down $row $rows 4)))
  (func $storePair (param $y i32) (param $u v128) (param $v v128)
    (f32.store (local.get $y) (call $sumOfFloats (local.get $u)))
    (f32.store offset=4 (local.get $y) (call $sumOfFloats (local.get $v))))

  ;; The inputs are one-hot: a product with them is, for each text, a row of the table [C, rows]. With `isBack` 0,
  ;; y[r, n] += table[ids[n], r]; with 1, for the gradient, table[ids[n], r] += y[r, n]. ids int32 [16].
  (func (export "addRows") (param $table i32) (param $ids i32) (param $y i32) (param $rows i32) (param $isBack i32)
    (local $n i32) (local $p i32) (local $q i32) (local $end i32)
    (loop $text
      (local.set $p (i32.load (i32.add (local.get $ids) (local.get $n))))
      (local.set $p (i32.add (local.get $table) (i32.shl (i32.mul (local.get $rows) (local.get $p)) (i32.const 2))))
      (local.set $q (i32.add (local.get $y) (local.get $n)))
      (local.set $end (i32.add (local.get $p) (i32.shl (local.get $rows) (i32.const 2))))
      (loop $row
        (f32.store (select (local.get $p) (local.get $q) (local.get $isBack))
          (f32.add (f32.load (local.get $p)) (f32.load (local.get $q))))
        (step $q 64)
        (next $row $p 4 $end))
      (step $n 4)
      (br_if $text (i32.lt_u (local.get $n) (i32.const 64)))))

  ;; The gates i, j, f, o of a layer [4, L, 16] are activated where they are. Of these and `before`, the memory of the step
  ;; before, c and h [L, 16] are made, of `width` bytes.
  (func (export "forward") (param $i i32) (param $before i32) (param $c i32) (param $h i32) (param $width i32)
    (local $j i32) (local $f i32) (local $o i32) (local $end i32) (local $v v128)
    (local.set $end (local.tee $j (i32.add (local.get $i) (local.get $width))))
    (local.set $o (i32.add (local.tee $f (i32.add (local.get $j) (local.get $width))) (local.get $width)))
    (loop $units
      (v128.store (local.get $i) (call $sigmoid (v128.load (local.get $i))))
      (v128.store (local.get $j) (call $tanh (v128.load (local.get $j))))
      (v128.store (local.get $f) (call $sigmoid (v128.load (local.get $f))))
      (v128.store (local.get $o) (call $sigmoid (v128.load (local.get $o))))
      (local.set $v (f32x4.add (f32x4.mul (v128.load (local.get $f)) (v128.load (local.get $before)))
        (f32x4.mul (v128.load (local.get $i)) (v128.load (local.get $j)))))
      (v128.store (local.get $c) (local.get $v))
      (v128.store (local.get $h) (f32x4.mul (v128.load (local.get $o)) (call $tanh (local.get $v))))
      (step $before 16) (step $c 16) (step $h 16) (step $j 16) (step $f 16) (step $o 16)
      (next $units $i 16 $end)))

  ;; The way back: the activated gates become their gradients before the activation, `d`, that of c, becomes that of
  ;; `before`. `dh` is the gradient of h.
  (func (export "backward") (param $i i32) (param $before i32) (param $c i32) (param $dh i32) (param $d i32)
    (param $width i32) (local $j i32) (local $f i32) (local $o i32) (local $end i32)
    (local $vi v128) (local $vj v128) (local $vf v128) (local $vo v128) (local $m v128) (local $g v128)
    (local.set $end (local.tee $j (i32.add (local.get $i) (local.get $width))))
    (local.set $o (i32.add (local.tee $f (i32.add (local.get $j) (local.get $width))) (local.get $width)))
    (loop $units
      (local.set $vi (v128.load (local.get $i))) (local.set $vj (v128.load (local.get $j)))
      (local.set $vf (v128.load (local.get $f))) (local.set $vo (v128.load (local.get $o)))
      (local.set $m (call $tanh (v128.load (local.get $c))))
      (local.set $g (f32x4.mul (v128.load (local.get $dh)) (local.get $vo)))
      (v128.store (local.get $o) (f32x4.mul (local.get $m) (f32x4.sub (local.get $g)
        (f32x4.mul (local.get $g) (local.get $vo)))))
      (local.set $g (f32x4.add (v128.load (local.get $d)) (f32x4.sub (local.get $g)
        (f32x4.mul (local.get $g) (f32x4.mul (local.get $m) (local.get $m))))))
      (local.set $m (f32x4.mul (local.get $g) (local.get $vi)))
      (v128.store (local.get $i) (f32x4.mul (local.get $vj) (f32x4.sub (local.get $m)
        (f32x4.mul (local.get $m) (local.get $vi)))))
      (v128.store (local.get $j) (f32x4.sub (local.get $m) (f32x4.mul (local.get $m)
        (f32x4.mul (local.get $vj) (local.get $vj)))))
      (local.set $m (f32x4.mul (local.get $g) (local.get $vf)))
      (v128.store (local.get $d) (local.get $m))
      (v128.store (local.get $f) (f32x4.mul (v128.load (local.get $before)) (f32x4.sub (local.get $m)
        (f32x4.mul (local.get $m) (local.get $vf)))))
      (step $before 16) (step $c 16) (step $dh 16) (step $d 16) (step $j 16) (step $f 16) (step $o 16)
      (next $units $i 16 $end)))

  ;; Adam. At p begin four arrays of `width` bytes: weights, their gradient, and its averages m and v. The gradient is
  ;; first multiplied by `factor`, which clips it; `rate` contains Adam's correction of the averages.
  (func (export "adam") (param $p i32) (param $width i32) (param $factor f32) (param $rate f32)
    (local $g i32) (local $m i32) (local $v i32) (local $end i32) (local $d v128) (local $e v128) (local $a v128)
    (local $tenth v128) (local $thousandth v128)
    (local.set $tenth (f32x4.splat (f32.const 0.1))) (local.set $thousandth (f32x4.splat (f32.const 0.001)))
    (local.set $end (local.tee $g (i32.add (local.get $p) (local.get $width))))
    (local.set $v (i32.add (local.tee $m (i32.add (local.get $g) (local.get $width))) (local.get $width)))
    (loop $weights
      (local.set $d (f32x4.mul (v128.load (local.get $g)) (f32x4.splat (local.get $factor))))
      (local.set $a (v128.load (local.get $v)))
      (local.set $e (f32x4.sub (f32x4.mul (local.get $d) (local.get $d)) (local.get $a)))
      (madd $a $thousandth $e)
      (v128.store (local.get $v) (local.get $a))
      (local.set $e (f32x4.add (f32x4.sqrt (local.get $a)) (f32x4.splat (f32.const 1e-8))))
      (local.set $a (v128.load (local.get $m)))
      (local.set $d (f32x4.sub (local.get $d) (local.get $a)))
      (madd $a $tenth $d)
      (v128.store (local.get $m) (local.get $a))
      (v128.store (local.get $p) (f32x4.sub (v128.load (local.get $p))
        (f32x4.div (f32x4.mul (f32x4.splat (local.get $rate)) (local.get $a)) (local.get $e))))
      (step $g 16) (step $m 16) (step $v 16)
      (next $weights $p 16 $end)))
