;; The arithmetic of engine.js with SIMD. `make kernel` makes kernel.wasm of it, which the page holds.
;; All numbers of a function are places in the memory or lengths. A place is that of the first byte.
(module
  (import "page" "memory" (memory 1))

  ;; y[r] = sum over k of m[r, k] * x[k]: m float32 [rows, columns], x float32 [columns], y float32 [rows].
  ;; Rows and columns are multiples of 4. Four rows are done at a time, so that x is loaded once for them.
  (func (export "productOfFloats") (param $m i32) (param $x i32) (param $y i32) (param $rows i32) (param $columns i32)
    (local $k i32) (local $end i32) (local $one i32) (local $two i32) (local $three i32) ;; as many rows, in bytes
    (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $v v128)
    (local.set $one (i32.shl (local.get $columns) (i32.const 2)))
    (local.set $two (i32.shl (local.get $one) (i32.const 1)))
    (local.set $three (i32.add (local.get $one) (local.get $two)))
    (local.set $end (i32.add (local.get $x) (local.get $one)))
    (loop $row
      (local.set $k (local.get $x))
      (local.set $a (local.tee $b (local.tee $c (local.tee $d (v128.const i32x4 0 0 0 0)))))
      (loop $column
        (local.set $v (v128.load (local.get $k)))
        (local.set $a (f32x4.add (local.get $a) (f32x4.mul (local.get $v) (v128.load (local.get $m)))))
        (local.set $b (f32x4.add (local.get $b) (f32x4.mul (local.get $v)
          (v128.load (i32.add (local.get $m) (local.get $one))))))
        (local.set $c (f32x4.add (local.get $c) (f32x4.mul (local.get $v)
          (v128.load (i32.add (local.get $m) (local.get $two))))))
        (local.set $d (f32x4.add (local.get $d) (f32x4.mul (local.get $v)
          (v128.load (i32.add (local.get $m) (local.get $three))))))
        (local.set $m (i32.add (local.get $m) (i32.const 16)))
        (br_if $column (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 16))) (local.get $end))))
      (f32.store (local.get $y) (call $sumOfFloats (local.get $a)))
      (f32.store offset=4 (local.get $y) (call $sumOfFloats (local.get $b)))
      (f32.store offset=8 (local.get $y) (call $sumOfFloats (local.get $c)))
      (f32.store offset=12 (local.get $y) (call $sumOfFloats (local.get $d)))
      (local.set $y (i32.add (local.get $y) (i32.const 16)))
      (local.set $m (i32.add (local.get $m) (local.get $three)))
      (br_if $row (local.tee $rows (i32.sub (local.get $rows) (i32.const 4))))))
  (func $sumOfFloats (param $v v128) (result f32)
    (f32.add (f32.add (f32x4.extract_lane 0 (local.get $v)) (f32x4.extract_lane 1 (local.get $v)))
      (f32.add (f32x4.extract_lane 2 (local.get $v)) (f32x4.extract_lane 3 (local.get $v)))))

  ;; The same with m int8, x int16, y int32. Rows are a multiple of 4, columns of 8. The caller sees to it that no sum
  ;; is beyond 32 bits.
  (func (export "productOfBytes") (param $m i32) (param $x i32) (param $y i32) (param $rows i32) (param $columns i32)
    (local $k i32) (local $end i32) (local $two i32) (local $three i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $v v128)
    (local.set $two (i32.shl (local.get $columns) (i32.const 1)))
    (local.set $three (i32.add (local.get $columns) (local.get $two)))
    (local.set $end (i32.add (local.get $x) (local.get $two)))
    (loop $row
      (local.set $k (local.get $x))
      (local.set $a (local.tee $b (local.tee $c (local.tee $d (v128.const i32x4 0 0 0 0)))))
      (loop $column
        (local.set $v (v128.load (local.get $k)))
        (local.set $a (i32x4.add (local.get $a) (i32x4.dot_i16x8_s (local.get $v) (v128.load8x8_s (local.get $m)))))
        (local.set $b (i32x4.add (local.get $b) (i32x4.dot_i16x8_s (local.get $v)
          (v128.load8x8_s (i32.add (local.get $m) (local.get $columns))))))
        (local.set $c (i32x4.add (local.get $c) (i32x4.dot_i16x8_s (local.get $v)
          (v128.load8x8_s (i32.add (local.get $m) (local.get $two))))))
        (local.set $d (i32x4.add (local.get $d) (i32x4.dot_i16x8_s (local.get $v)
          (v128.load8x8_s (i32.add (local.get $m) (local.get $three))))))
        (local.set $m (i32.add (local.get $m) (i32.const 8)))
        (br_if $column (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 16))) (local.get $end))))
      (i32.store (local.get $y) (call $sumOfIntegers (local.get $a)))
      (i32.store offset=4 (local.get $y) (call $sumOfIntegers (local.get $b)))
      (i32.store offset=8 (local.get $y) (call $sumOfIntegers (local.get $c)))
      (i32.store offset=12 (local.get $y) (call $sumOfIntegers (local.get $d)))
      (local.set $y (i32.add (local.get $y) (i32.const 16)))
      (local.set $m (i32.add (local.get $m) (local.get $three)))
      (br_if $row (local.tee $rows (i32.sub (local.get $rows) (i32.const 4))))))
  (func $sumOfIntegers (param $v v128) (result i32)
    (i32.add (i32.add (i32x4.extract_lane 0 (local.get $v)) (i32x4.extract_lane 1 (local.get $v)))
      (i32.add (i32x4.extract_lane 2 (local.get $v)) (i32x4.extract_lane 3 (local.get $v)))))

  ;; The gates of a layer, float32 [4, size], make its c and h float32 [size] of the step before to those of this one:
  ;; c = sigmoid(f) c + sigmoid(i) tanh(j), h = sigmoid(o) tanh(c). `width` is the number of bytes of c.
  (func (export "update") (param $gates i32) (param $c i32) (param $h i32) (param $width i32)
    (local $end i32) (local $memory v128)
    (local.set $end (i32.add (local.get $c) (local.get $width)))
    (loop $units
      (local.set $memory (f32x4.add
        (f32x4.mul (call $sigmoid (call $gate (local.get $gates) (local.get $width) (i32.const 2)))
          (v128.load (local.get $c)))
        (f32x4.mul (call $sigmoid (v128.load (local.get $gates)))
          (call $tanh (call $gate (local.get $gates) (local.get $width) (i32.const 1))))))
      (v128.store (local.get $c) (local.get $memory))
      (v128.store (local.get $h) (f32x4.mul
        (call $sigmoid (call $gate (local.get $gates) (local.get $width) (i32.const 3)))
        (call $tanh (local.get $memory))))
      (local.set $gates (i32.add (local.get $gates) (i32.const 16)))
      (local.set $h (i32.add (local.get $h) (i32.const 16)))
      (br_if $units (i32.lt_u (local.tee $c (i32.add (local.get $c) (i32.const 16))) (local.get $end)))))
  (func $gate (param $gates i32) (param $width i32) (param $index i32) (result v128)
    (v128.load (i32.add (local.get $gates) (i32.mul (local.get $width) (local.get $index)))))

  ;; y = tanh(x), float32, of `width` bytes, a multiple of 16.
  (func (export "tanhOf") (param $x i32) (param $y i32) (param $width i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $x) (local.get $width)))
    (loop $next
      (v128.store (local.get $y) (call $tanh (v128.load (local.get $x))))
      (local.set $y (i32.add (local.get $y) (i32.const 16)))
      (br_if $next (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 16))) (local.get $end)))))
  (func $tanh (param $x v128) (result v128)
    (f32x4.sub (f32x4.mul (f32x4.splat (f32.const 2)) (call $sigmoid (f32x4.add (local.get $x) (local.get $x))))
      (f32x4.splat (f32.const 1))))

  ;; 1 / (1 + exp(-x)), to about 1e-7
  (func $sigmoid (param $x v128) (result v128)
    (f32x4.div (f32x4.splat (f32.const 1))
      (f32x4.add (f32x4.splat (f32.const 1)) (call $exp (f32x4.neg (local.get $x))))))

  ;; exp(x), to about 1e-7, of x between -87 and 87: 2^n exp(r) with a whole n and |r| <= ln(2) / 2, exp(r) by its series.
  (func $exp (param $x v128) (result v128)
    (local $n v128) (local $r v128)
    (local.set $x (f32x4.min (local.get $x) (f32x4.splat (f32.const 87))))
    (local.set $x (f32x4.max (local.get $x) (f32x4.splat (f32.const -87))))
    (local.set $n (f32x4.nearest (f32x4.mul (local.get $x) (f32x4.splat (f32.const 1.44269504)))))
    ;; ln(2) in two parts, of which the first has few digits, so that its product with n is exact
    (local.set $r (f32x4.sub (local.get $x) (f32x4.mul (local.get $n) (f32x4.splat (f32.const 0.693359375)))))
    (local.set $r (f32x4.add (local.get $r) (f32x4.mul (local.get $n) (f32x4.splat (f32.const 2.12194440e-4)))))
    (local.set $x (f32x4.splat (f32.const 0.001388889)))
    (local.set $x (f32x4.add (f32x4.mul (local.get $x) (local.get $r)) (f32x4.splat (f32.const 0.008333333))))
    (local.set $x (f32x4.add (f32x4.mul (local.get $x) (local.get $r)) (f32x4.splat (f32.const 0.04166667))))
    (local.set $x (f32x4.add (f32x4.mul (local.get $x) (local.get $r)) (f32x4.splat (f32.const 0.16666667))))
    (local.set $x (f32x4.add (f32x4.mul (local.get $x) (local.get $r)) (f32x4.splat (f32.const 0.5))))
    (local.set $x (f32x4.add (f32x4.mul (local.get $x) (local.get $r)) (f32x4.splat (f32.const 1))))
    (local.set $x (f32x4.add (f32x4.mul (local.get $x) (local.get $r)) (f32x4.splat (f32.const 1))))
    ;; n is added to the exponent of the float
    (i32x4.add (local.get $x) (i32x4.shl (i32x4.trunc_sat_f32x4_s (local.get $n)) (i32.const 23)))))
