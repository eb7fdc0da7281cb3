;; The arithmetic of trainer.js with SIMD. `make kernel` makes train.wasm and fused.wasm of kernel.wat and of this.
;; Eight texts are read at once: what belongs to them is a matrix [rows, 8], float32, 32 bytes a row.
;; Four short forms are spelled out by .make/train-wat:
;;   (madd $a $b $c)            a += b * c, of four numbers
;;   (step $p 4)                p += 4
;;   (next $loop $p 4 $end)     p += 4, and again from $loop on if p < end
;;   (down $loop $n 4)          n -= 4, and again from $loop on if n > 0

  ;; y[r, n] += sum over k of m[r, k] * x[k, n]: m [rows, columns], x [columns, 8]. From a row of m or y to the next are
  ;; `strideM` and `strideY` bytes. Four rows are done at a time.
  (func (export "addProduct") (param $m i32) (param $x i32) (param $y i32) (param $rows i32) (param $columns i32)
    (param $strideM i32) (param $strideY i32)
    (local $k i32) (local $end i32) (local $p i32) (local $two i32) (local $three i32) (local $s v128)
    (local $x0 v128) (local $x1 v128) (local $a0 v128) (local $a1 v128) (local $b0 v128) (local $b1 v128)
    (local $c0 v128) (local $c1 v128) (local $d0 v128) (local $d1 v128)
    (local.set $two (i32.shl (local.get $strideM) (i32.const 1)))
    (local.set $three (i32.add (local.get $strideM) (local.get $two)))
    (local.set $end (i32.add (local.get $x) (i32.shl (local.get $columns) (i32.const 5))))
    (loop $row
      (local.set $p (local.get $y))
      (local.set $a0 (v128.load (local.get $p))) (local.set $a1 (v128.load offset=16 (local.get $p)))
      (local.set $p (i32.add (local.get $p) (local.get $strideY)))
      (local.set $b0 (v128.load (local.get $p))) (local.set $b1 (v128.load offset=16 (local.get $p)))
      (local.set $p (i32.add (local.get $p) (local.get $strideY)))
      (local.set $c0 (v128.load (local.get $p))) (local.set $c1 (v128.load offset=16 (local.get $p)))
      (local.set $p (i32.add (local.get $p) (local.get $strideY)))
      (local.set $d0 (v128.load (local.get $p))) (local.set $d1 (v128.load offset=16 (local.get $p)))
      (local.set $k (local.get $x))
      (local.set $p (local.get $m))
      (loop $column
        (local.set $x0 (v128.load (local.get $k))) (local.set $x1 (v128.load offset=16 (local.get $k)))
        (local.set $s (v128.load32_splat (local.get $p)))
        (madd $a0 $s $x0) (madd $a1 $s $x1)
        (local.set $s (v128.load32_splat (i32.add (local.get $p) (local.get $strideM))))
        (madd $b0 $s $x0) (madd $b1 $s $x1)
        (local.set $s (v128.load32_splat (i32.add (local.get $p) (local.get $two))))
        (madd $c0 $s $x0) (madd $c1 $s $x1)
        (local.set $s (v128.load32_splat (i32.add (local.get $p) (local.get $three))))
        (madd $d0 $s $x0) (madd $d1 $s $x1)
        (step $p 4)
        (next $column $k 32 $end))
      (v128.store (local.get $y) (local.get $a0)) (v128.store offset=16 (local.get $y) (local.get $a1))
      (local.set $y (i32.add (local.get $y) (local.get $strideY)))
      (v128.store (local.get $y) (local.get $b0)) (v128.store offset=16 (local.get $y) (local.get $b1))
      (local.set $y (i32.add (local.get $y) (local.get $strideY)))
      (v128.store (local.get $y) (local.get $c0)) (v128.store offset=16 (local.get $y) (local.get $c1))
      (local.set $y (i32.add (local.get $y) (local.get $strideY)))
      (v128.store (local.get $y) (local.get $d0)) (v128.store offset=16 (local.get $y) (local.get $d1))
      (local.set $y (i32.add (local.get $y) (local.get $strideY)))
      (local.set $m (i32.add (local.get $m) (i32.shl (local.get $strideM) (i32.const 2))))
      (down $row $rows 4)))

  ;; y[k, r] = m[r, k]: from a row of m or y to the next are `strideM` and `strideY` bytes. Four rows and four columns are
  ;; done at a time, so that there are more columns than there are in m if these are no multiple of four.
  (func (export "transpose") (param $m i32) (param $y i32) (param $rows i32) (param $columns i32) (param $strideM i32)
    (param $strideY i32) (local $k i32) (local $p i32) (local $q i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $e v128) (local $f v128)
    (local $g v128) (local $h v128)
    (loop $row
      (local.set $p (local.get $m))
      (local.set $q (local.get $y))
      (local.set $k (local.get $columns))
      (loop $column
        (local.set $a (v128.load (local.get $p)))
        (local.set $b (v128.load (i32.add (local.get $p) (local.get $strideM))))
        (local.set $c (v128.load (i32.add (local.get $p) (i32.shl (local.get $strideM) (i32.const 1)))))
        (local.set $d (v128.load (i32.add (local.get $p) (i32.mul (local.get $strideM) (i32.const 3)))))
        (local.set $e (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $a) (local.get $b)))
        (local.set $f (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $a) (local.get $b)))
        (local.set $g (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $c) (local.get $d)))
        (local.set $h (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $c) (local.get $d)))
        (v128.store (local.get $q)
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $e) (local.get $g)))
        (local.set $q (i32.add (local.get $q) (local.get $strideY)))
        (v128.store (local.get $q)
          (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $e) (local.get $g)))
        (local.set $q (i32.add (local.get $q) (local.get $strideY)))
        (v128.store (local.get $q)
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $f) (local.get $h)))
        (local.set $q (i32.add (local.get $q) (local.get $strideY)))
        (v128.store (local.get $q)
          (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $f) (local.get $h)))
        (local.set $q (i32.add (local.get $q) (local.get $strideY)))
        (step $p 16)
        (br_if $column (i32.gt_s (local.tee $k (i32.sub (local.get $k) (i32.const 4))) (i32.const 0))))
      (local.set $m (i32.add (local.get $m) (i32.shl (local.get $strideM) (i32.const 2))))
      (step $y 16)
      (br_if $row (i32.gt_s (local.tee $rows (i32.sub (local.get $rows) (i32.const 4))) (i32.const 0)))))

  ;; Copy the rows of m [rows, 8], one after the other, to places that are `stride` bytes from each other.
  (func (export "spread") (param $m i32) (param $y i32) (param $rows i32) (param $stride i32)
    (loop $row
      (v128.store (local.get $y) (v128.load (local.get $m)))
      (v128.store offset=16 (local.get $y) (v128.load offset=16 (local.get $m)))
      (step $m 32)
      (local.set $y (i32.add (local.get $y) (local.get $stride)))
      (down $row $rows 1)))

  ;; The inputs are one-hot: a product with them is, for each text, a row of the table [C, rows]. With `isBack` 0,
  ;; y[r, n] += table[ids[n], r]; with 1, for the gradient, table[ids[n], r] += y[r, n]. ids int32 [8].
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
        (step $q 32)
        (next $row $p 4 $end))
      (step $n 4)
      (br_if $text (i32.lt_u (local.get $n) (i32.const 32)))))

  ;; The gates i, j, f, o of a layer [4, L, 8] are activated where they are. Of these and `before`, the memory of the step
  ;; before, c and h [L, 8] are made, of `width` bytes.
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

  ;; The logits [rows, 8] become the shares that their softmax gives each character, times `factor`.
  (func (export "softmax") (param $logits i32) (param $rows i32) (param $factor f32) (local $end i32)
    (local.set $end (i32.add (local.get $logits) (i32.const 32)))
    (loop $half
      (call $softmaxOfFour (local.get $logits) (local.get $rows) (local.get $factor))
      (next $half $logits 16 $end)))
  (func $softmaxOfFour (param $logits i32) (param $rows i32) (param $factor f32)
    (local $p i32) (local $end i32) (local $most v128) (local $sum v128) (local $v v128)
    (local.set $end (i32.add (local.get $logits) (i32.shl (local.get $rows) (i32.const 5))))
    (local.set $p (local.get $logits))
    (local.set $most (v128.load (local.get $p)))
    (loop $rowOfMost
      (local.set $most (f32x4.max (local.get $most) (v128.load (local.get $p))))
      (next $rowOfMost $p 32 $end))
    (local.set $p (local.get $logits))
    (loop $rowOfSum
      (local.set $v (call $exp (f32x4.sub (v128.load (local.get $p)) (local.get $most))))
      (v128.store (local.get $p) (local.get $v))
      (local.set $sum (f32x4.add (local.get $sum) (local.get $v)))
      (next $rowOfSum $p 32 $end))
    (local.set $p (local.get $logits))
    (local.set $v (f32x4.div (f32x4.splat (local.get $factor)) (local.get $sum)))
    (loop $rowOfShare
      (v128.store (local.get $p) (f32x4.mul (v128.load (local.get $p)) (local.get $v)))
      (next $rowOfShare $p 32 $end)))

  ;; The sum of the squares of the numbers in `width` bytes.
  (func (export "sumOfSquares") (param $p i32) (param $width i32) (result f64)
    (local $end i32) (local $sum v128) (local $v v128)
    (local.set $end (i32.add (local.get $p) (local.get $width)))
    (loop $numbers
      (local.set $v (v128.load (local.get $p)))
      (local.set $v (f32x4.mul (local.get $v) (local.get $v)))
      (local.set $sum (f64x2.add (local.get $sum) (f64x2.promote_low_f32x4 (local.get $v))))
      (local.set $v (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $v) (local.get $v)))
      (local.set $sum (f64x2.add (local.get $sum) (f64x2.promote_low_f32x4 (local.get $v))))
      (next $numbers $p 16 $end))
    (f64.add (f64x2.extract_lane 0 (local.get $sum)) (f64x2.extract_lane 1 (local.get $sum))))

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

  ;; y += part * (x - y), of `width` bytes: a running average of x.
  (func (export "approach") (param $x i32) (param $y i32) (param $width i32) (param $part f32)
    (local $end i32) (local $v v128) (local $d v128) (local $s v128)
    (local.set $s (f32x4.splat (local.get $part)))
    (local.set $end (i32.add (local.get $y) (local.get $width)))
    (loop $numbers
      (local.set $v (v128.load (local.get $y)))
      (local.set $d (f32x4.sub (v128.load (local.get $x)) (local.get $v)))
      (madd $v $s $d)
      (v128.store (local.get $y) (local.get $v))
      (step $x 16)
      (next $numbers $y 16 $end)))

  ;; p *= factor, of `width` bytes.
  (func (export "scale") (param $p i32) (param $width i32) (param $factor f32) (local $end i32)
    (local.set $end (i32.add (local.get $p) (local.get $width)))
    (loop $numbers
      (v128.store (local.get $p) (f32x4.mul (v128.load (local.get $p)) (f32x4.splat (local.get $factor))))
      (next $numbers $p 16 $end)))

  ;; Dropout: y = x / keep where a random number is below `keep`, else 0. The numbers depend on `seed` alone, which is not
  ;; 0: four generators of Marsaglia's (2003, xorshift), of 24 bits each. x and y may be the same place.
  (func (export "drop") (param $x i32) (param $y i32) (param $width i32) (param $keep f32) (param $seed i32)
    (local $end i32) (local $state v128) (local $limit v128) (local $factor v128)
    (local.set $limit (i32x4.splat (i32.trunc_f32_s (f32.mul (local.get $keep) (f32.const 16777216)))))
    (local.set $factor (f32x4.splat (f32.div (f32.const 1) (local.get $keep))))
    (local.set $state (i32x4.mul (i32x4.splat (local.get $seed))
      (v128.const i32x4 0x9e3779b1 0x85ebca6b 0xc2b2ae35 0x27d4eb2f)))
    (local.set $end (i32.add (local.get $y) (local.get $width)))
    (loop $numbers
      (local.set $state (v128.xor (local.get $state) (i32x4.shl (local.get $state) (i32.const 13))))
      (local.set $state (v128.xor (local.get $state) (i32x4.shr_u (local.get $state) (i32.const 17))))
      (local.set $state (v128.xor (local.get $state) (i32x4.shl (local.get $state) (i32.const 5))))
      (v128.store (local.get $y) (v128.and (f32x4.mul (v128.load (local.get $x)) (local.get $factor))
        (i32x4.lt_s (i32x4.shr_u (local.get $state) (i32.const 8)) (local.get $limit))))
      (step $x 16)
      (next $numbers $y 16 $end)))
