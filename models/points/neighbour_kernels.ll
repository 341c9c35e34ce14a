; made by `make kernels` from neighbour_kernels.py, sha256 2b2a02fe6782ec756864d87b99e9983f287ba526816b4c292a6fb7b22078e0f0
; kernel plant nXNNXX
; kernel nearest XXXNNXnNXXnxXNXNNNNXN
; ModuleID = 'neighbour_kernels'
source_filename = "<string>"

; Function Attrs: nofree norecurse nosync nounwind memory(argmem: readwrite)
define noundef i32 @plant(ptr noalias writeonly captures(none) %retptr, ptr noalias readnone captures(none) %excinfo, i64 %arg.n, ptr noalias readonly captures(none) %arg.points, ptr noalias captures(none) %arg.places, ptr noalias captures(none) %arg.nodes, ptr noalias writeonly captures(none) %arg.cuts, ptr noalias captures(none) %arg.boxes) local_unnamed_addr #0 {
entry:
  %storemerge468 = tail call i64 @llvm.smax.i64(i64 %arg.n, i64 0)
  %.241545.not = icmp slt i64 %arg.n, 1
  br label %B34.if

B124.B34.loopexit_crit_edge:                      ; preds = %B124.if
  store double %.11.i529, ptr %.153, align 8
  store double %.11.i531, ptr %.159, align 8
  br label %B34.loopexit

B34.loopexit:                                     ; preds = %B124.B34.loopexit_crit_edge, %B34.if
  %.103 = icmp samesign ugt i64 %.48.0550, 1
  br i1 %.103, label %B34.if, label %B316

B316:                                             ; preds = %B34.loopexit
  store i32 0, ptr %arg.nodes, align 4
  %.389 = trunc i64 %arg.n to i32
  %.390 = getelementptr i8, ptr %arg.nodes, i64 4
  store i32 %.389, ptr %.390, align 4
  %.394 = getelementptr i8, ptr %arg.nodes, i64 8
  store i32 0, ptr %.394, align 4
  br label %B370

B370:                                             ; preds = %B1974, %B316
  %made.2.0 = phi i64 [ 1, %B316 ], [ %made.3.1, %B1974 ]
  %node.2.0 = phi i64 [ 0, %B316 ], [ %.2137, %B1974 ]
  %.413.idx = shl i64 %node.2.0, 4
  %.413 = getelementptr i8, ptr %arg.nodes, i64 %.413.idx
  %.414 = load i32, ptr %.413, align 4
  %.419 = getelementptr i8, ptr %.413, i64 4
  %.420 = load i32, ptr %.419, align 4
  %.422 = mul nuw nsw i64 %node.2.0, 6
  %.434 = sext i32 %.420 to i64
  %.435 = sext i32 %.414 to i64
  %.436 = sub nsw i64 %.434, %.435
  %.441 = icmp sgt i64 %.436, 15
  br i1 %.441, label %B498.preheader, label %B1974

B498.preheader:                                   ; preds = %B370
  %0 = getelementptr double, ptr %arg.boxes, i64 %.422
  br label %B498.if

B640.preheader:                                   ; preds = %B498.if
  %1 = getelementptr double, ptr %arg.boxes, i64 %.422
  %.788 = fmul double %.11.i533, 9.999900e-01
  %.805 = getelementptr i32, ptr %arg.places, i64 %.435
  %.856 = sub i32 %.420, %.414
  %storemerge467 = tail call i32 @llvm.smax.i32(i32 %.856, i32 0)
  %.899555.not = icmp slt i32 %.856, 1
  br label %B640.if

B732:                                             ; preds = %B640.if
  %.801 = mul nsw i64 %.658.0561, %arg.n
  %.806 = load i32, ptr %.805, align 4
  %.807 = sext i32 %.806 to i64
  %2 = getelementptr double, ptr %arg.points, i64 %.801
  %.810 = getelementptr double, ptr %2, i64 %.807
  %.811 = load double, ptr %.810, align 8
  br i1 %.899555.not, label %B950, label %B808.if

B950:                                             ; preds = %B808.if, %B732
  %least.2.4.lcssa = phi double [ %.811, %B732 ], [ %.11.i535, %B808.if ]
  %most.2.4.lcssa = phi double [ %.811, %B732 ], [ %.11.i537, %B808.if ]
  %.1048 = fsub double %most.2.4.lcssa, %least.2.4.lcssa
  %.1050 = fcmp ogt double %.1048, %spread.2.2564
  br i1 %.1050, label %B968, label %B996

B968:                                             ; preds = %B950
  br label %B996

B996:                                             ; preds = %B968, %B950, %B640.if
  %split.3.3 = phi i64 [ %.658.0561, %B968 ], [ %split.2.2563, %B950 ], [ %split.2.2563, %B640.if ]
  %spread.3.3 = phi double [ %.1048, %B968 ], [ %spread.2.2564, %B950 ], [ %spread.2.2564, %B640.if ]
  %low.5.3 = phi double [ %least.2.4.lcssa, %B968 ], [ %low.4.2565, %B950 ], [ %low.4.2565, %B640.if ]
  %high.5.3 = phi double [ %most.2.4.lcssa, %B968 ], [ %high.4.2566, %B950 ], [ %high.4.2566, %B640.if ]
  %.714 = icmp samesign ugt i64 %.661.0562, 1
  br i1 %.714, label %B640.if, label %B998

B998:                                             ; preds = %B996
  %.1119 = shl nuw nsw i64 %split.3.3, 1
  %3 = getelementptr double, ptr %arg.boxes, i64 %.422
  %.1123 = getelementptr double, ptr %3, i64 %.1119
  %.1124 = load double, ptr %.1123, align 8
  %.1131 = getelementptr i8, ptr %.1123, i64 8
  %.1132 = load double, ptr %.1131, align 8
  %.1133 = fadd double %.1124, %.1132
  %.1138 = fmul double %.1133, 5.000000e-01
  %.10.i = fcmp ogt double %low.5.3, %.1138
  %.11.i = select i1 %.10.i, double %low.5.3, double %.1138
  %.10.i469 = fcmp olt double %high.5.3, %.11.i
  %.11.i470 = select i1 %.10.i469, double %high.5.3, double %.11.i
  %4 = xor i64 %.435, -1
  %.43.i = add nsw i64 %.434, %4
  %invariant.gep96.i = getelementptr i32, ptr %arg.places, i64 %.435
  %.64.i = mul nsw i64 %split.3.3, %arg.n
  %5 = getelementptr double, ptr %arg.points, i64 %.64.i
  br label %B22.i

B22.i:                                            ; preds = %B590.i, %B998
  %left.3.0.i = phi i64 [ 0, %B998 ], [ %.381.i, %B590.i ]
  %right.3.0.i = phi i64 [ %.43.i, %B998 ], [ %.387.i, %B590.i ]
  %.54.not.i = icmp sgt i64 %left.3.0.i, %right.3.0.i
  br i1 %.54.not.i, label %B280.i, label %B34.i

B34.i:                                            ; preds = %B22.i
  %gep97.i = getelementptr i32, ptr %invariant.gep96.i, i64 %left.3.0.i
  %.71.i = load i32, ptr %gep97.i, align 4, !noalias !0
  %.72.i = sext i32 %.71.i to i64
  %.75.i = getelementptr double, ptr %5, i64 %.72.i
  %.76.i = load double, ptr %.75.i, align 8, !noalias !0
  %.78.i = fcmp olt double %.76.i, %.11.i470
  br i1 %.78.i, label %B146.preheader.i, label %B280.i

B146.preheader.i:                                 ; preds = %B34.i
  %6 = add i64 %right.3.0.i, 1
  br label %B146.i

B146.i:                                           ; preds = %B168.i, %B146.preheader.i
  %left.4.2.i = phi i64 [ %.116.i, %B168.i ], [ %left.3.0.i, %B146.preheader.i ]
  %.127.not.not.i = icmp slt i64 %left.4.2.i, %right.3.0.i
  br i1 %.127.not.not.i, label %B168.i, label %B280.i

B168.i:                                           ; preds = %B146.i
  %.116.i = add nsw i64 %left.4.2.i, 1
  %gep.i = getelementptr i32, ptr %invariant.gep96.i, i64 %.116.i
  %.140.i = load i32, ptr %gep.i, align 4, !noalias !0
  %.141.i = sext i32 %.140.i to i64
  %.144.i = getelementptr double, ptr %5, i64 %.141.i
  %.145.i = load double, ptr %.144.i, align 8, !noalias !0
  %.147.i = fcmp olt double %.145.i, %.11.i470
  br i1 %.147.i, label %B146.i, label %B280.i

B280.i:                                           ; preds = %B168.i, %B146.i, %B34.i, %B22.i
  %left.5.1.i = phi i64 [ %left.3.0.i, %B34.i ], [ %left.3.0.i, %B22.i ], [ %6, %B146.i ], [ %.116.i, %B168.i ]
  %.186.i = icmp slt i64 %right.3.0.i, 1
  %.193.not.i = icmp sgt i64 %left.5.1.i, %right.3.0.i
  %or.cond93.i = or i1 %.186.i, %.193.not.i
  br i1 %or.cond93.i, label %B562.i, label %B304.i

B304.i:                                           ; preds = %B280.i
  %gep99.i = getelementptr i32, ptr %invariant.gep96.i, i64 %right.3.0.i
  %.207.i = load i32, ptr %gep99.i, align 4, !noalias !0
  %.208.i = sext i32 %.207.i to i64
  %.211.i = getelementptr double, ptr %5, i64 %.208.i
  %.212.i = load double, ptr %.211.i, align 8, !noalias !0
  %.214.i = fcmp olt double %.212.i, %.11.i470
  br i1 %.214.i, label %B562.i, label %B416.preheader.i

B416.preheader.i:                                 ; preds = %B304.i
  %7 = add i64 %left.5.1.i, -1
  br label %B416.i

B416.i:                                           ; preds = %B450.i, %B416.preheader.i
  %right.4.2.i = phi i64 [ %.253.i, %B450.i ], [ %right.3.0.i, %B416.preheader.i ]
  %.253.i = add nsw i64 %right.4.2.i, -1
  %.263.i = icmp sgt i64 %right.4.2.i, 1
  br i1 %.263.i, label %B438.i, label %B562.i

B438.i:                                           ; preds = %B416.i
  %.270.not.not.i = icmp slt i64 %left.5.1.i, %right.4.2.i
  br i1 %.270.not.not.i, label %B450.i, label %B562.i

B450.i:                                           ; preds = %B438.i
  %gep95.i = getelementptr i32, ptr %invariant.gep96.i, i64 %.253.i
  %.284.i = load i32, ptr %gep95.i, align 4, !noalias !0
  %.285.i = sext i32 %.284.i to i64
  %.288.i = getelementptr double, ptr %5, i64 %.285.i
  %.289.i = load double, ptr %.288.i, align 8, !noalias !0
  %.291.i = fcmp olt double %.289.i, %.11.i470
  br i1 %.291.i, label %B562.i, label %B416.i

B562.i:                                           ; preds = %B450.i, %B438.i, %B416.i, %B304.i, %B280.i
  %right.5.1.i = phi i64 [ %right.3.0.i, %B304.i ], [ %right.3.0.i, %B280.i ], [ %.253.i, %B450.i ], [ %7, %B438.i ], [ 0, %B416.i ]
  %.326.i = icmp sgt i64 %left.5.1.i, %right.5.1.i
  %.329.i = icmp eq i64 %right.5.1.i, 0
  %or.cond.i = or i1 %.326.i, %.329.i
  br i1 %or.cond.i, label %B22.i477, label %B590.i

B590.i:                                           ; preds = %B562.i
  %gep101.i = getelementptr i32, ptr %invariant.gep96.i, i64 %left.5.1.i
  %.358.i = load i32, ptr %gep101.i, align 4, !noalias !0
  %gep103.i = getelementptr i32, ptr %invariant.gep96.i, i64 %right.5.1.i
  %.365.i = load i32, ptr %gep103.i, align 4, !noalias !0
  store i32 %.365.i, ptr %gep101.i, align 4, !noalias !0
  store i32 %.358.i, ptr %gep103.i, align 4, !noalias !0
  %.381.i = add nsw i64 %left.5.1.i, 1
  %.387.i = add nsw i64 %right.5.1.i, -1
  br label %B22.i

B22.i477:                                         ; preds = %B562.i, %B590.i504
  %left.3.0.i478 = phi i64 [ %.381.i507, %B590.i504 ], [ %left.5.1.i, %B562.i ]
  %right.3.0.i479 = phi i64 [ %.387.i508, %B590.i504 ], [ %.43.i, %B562.i ]
  %.54.not.i480 = icmp sgt i64 %left.3.0.i478, %right.3.0.i479
  br i1 %.54.not.i480, label %B280.i490, label %B34.i481

B34.i481:                                         ; preds = %B22.i477
  %gep131.i = getelementptr i32, ptr %invariant.gep96.i, i64 %left.3.0.i478
  %.71.i482 = load i32, ptr %gep131.i, align 4, !noalias !3
  %.72.i483 = sext i32 %.71.i482 to i64
  %.75.i484 = getelementptr double, ptr %5, i64 %.72.i483
  %.76.i485 = load double, ptr %.75.i484, align 8, !noalias !3
  %or.cond123.i = fcmp ugt double %.76.i485, %.11.i470
  br i1 %or.cond123.i, label %B280.i490, label %B146.preheader.i486

B146.preheader.i486:                              ; preds = %B34.i481
  %8 = add i64 %right.3.0.i479, 1
  br label %B146.i487

B146.i487:                                        ; preds = %B168.i521, %B146.preheader.i486
  %left.4.2.i488 = phi i64 [ %.116.i522, %B168.i521 ], [ %left.3.0.i478, %B146.preheader.i486 ]
  %.127.not.not.i489 = icmp slt i64 %left.4.2.i488, %right.3.0.i479
  br i1 %.127.not.not.i489, label %B168.i521, label %B280.i490

B168.i521:                                        ; preds = %B146.i487
  %.116.i522 = add nsw i64 %left.4.2.i488, 1
  %gep.i523 = getelementptr i32, ptr %invariant.gep96.i, i64 %.116.i522
  %.140.i524 = load i32, ptr %gep.i523, align 4, !noalias !3
  %.141.i525 = sext i32 %.140.i524 to i64
  %.144.i526 = getelementptr double, ptr %5, i64 %.141.i525
  %.145.i527 = load double, ptr %.144.i526, align 8, !noalias !3
  %or.cond124.i = fcmp ugt double %.145.i527, %.11.i470
  br i1 %or.cond124.i, label %B280.i490, label %B146.i487

B280.i490:                                        ; preds = %B168.i521, %B146.i487, %B34.i481, %B22.i477
  %left.5.1.i491 = phi i64 [ %left.3.0.i478, %B34.i481 ], [ %left.3.0.i478, %B22.i477 ], [ %8, %B146.i487 ], [ %.116.i522, %B168.i521 ]
  %.186.i492 = icmp slt i64 %right.3.0.i479, 1
  %.193.not.i493 = icmp sgt i64 %left.5.1.i491, %right.3.0.i479
  %or.cond125.i = or i1 %.186.i492, %.193.not.i493
  br i1 %or.cond125.i, label %B562.i499, label %B304.i494

B304.i494:                                        ; preds = %B280.i490
  %gep133.i = getelementptr i32, ptr %invariant.gep96.i, i64 %right.3.0.i479
  %.207.i495 = load i32, ptr %gep133.i, align 4, !noalias !3
  %.208.i496 = sext i32 %.207.i495 to i64
  %.211.i497 = getelementptr double, ptr %5, i64 %.208.i496
  %.212.i498 = load double, ptr %.211.i497, align 8, !noalias !3
  %or.cond126.i = fcmp ugt double %.212.i498, %.11.i470
  br i1 %or.cond126.i, label %B416.preheader.i509, label %B562.i499

B416.preheader.i509:                              ; preds = %B304.i494
  %9 = add i64 %left.5.1.i491, -1
  br label %B416.i510

B416.i510:                                        ; preds = %B450.i516, %B416.preheader.i509
  %right.4.2.i511 = phi i64 [ %.253.i512, %B450.i516 ], [ %right.3.0.i479, %B416.preheader.i509 ]
  %.253.i512 = add nsw i64 %right.4.2.i511, -1
  %.263.i513 = icmp sgt i64 %right.4.2.i511, 1
  br i1 %.263.i513, label %B438.i514, label %B562.i499

B438.i514:                                        ; preds = %B416.i510
  %.270.not.not.i515 = icmp slt i64 %left.5.1.i491, %right.4.2.i511
  br i1 %.270.not.not.i515, label %B450.i516, label %B562.i499

B450.i516:                                        ; preds = %B438.i514
  %gep129.i = getelementptr i32, ptr %invariant.gep96.i, i64 %.253.i512
  %.284.i517 = load i32, ptr %gep129.i, align 4, !noalias !3
  %.285.i518 = sext i32 %.284.i517 to i64
  %.288.i519 = getelementptr double, ptr %5, i64 %.285.i518
  %.289.i520 = load double, ptr %.288.i519, align 8, !noalias !3
  %or.cond127.i = fcmp ugt double %.289.i520, %.11.i470
  br i1 %or.cond127.i, label %B416.i510, label %B562.i499

B562.i499:                                        ; preds = %B450.i516, %B438.i514, %B416.i510, %B304.i494, %B280.i490
  %right.5.1.i500 = phi i64 [ %right.3.0.i479, %B304.i494 ], [ %right.3.0.i479, %B280.i490 ], [ %.253.i512, %B450.i516 ], [ 0, %B416.i510 ], [ %9, %B438.i514 ]
  %.326.i501 = icmp sgt i64 %left.5.1.i491, %right.5.1.i500
  %.329.i502 = icmp eq i64 %right.5.1.i500, 0
  %or.cond.i503 = or i1 %.326.i501, %.329.i502
  br i1 %or.cond.i503, label %_ZN6models6points17neighbour_kernels11_swap_belowB3v24B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEx10float64_2a8int32_2aiixxd27Literal_5bbool_5d_28True_29.exit, label %B590.i504

B590.i504:                                        ; preds = %B562.i499
  %gep135.i = getelementptr i32, ptr %invariant.gep96.i, i64 %left.5.1.i491
  %.358.i505 = load i32, ptr %gep135.i, align 4, !noalias !3
  %gep137.i = getelementptr i32, ptr %invariant.gep96.i, i64 %right.5.1.i500
  %.365.i506 = load i32, ptr %gep137.i, align 4, !noalias !3
  store i32 %.365.i506, ptr %gep135.i, align 4, !noalias !3
  store i32 %.358.i505, ptr %gep137.i, align 4, !noalias !3
  %.381.i507 = add nsw i64 %left.5.1.i491, 1
  %.387.i508 = add nsw i64 %right.5.1.i500, -1
  br label %B22.i477

_ZN6models6points17neighbour_kernels11_swap_belowB3v24B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEx10float64_2a8int32_2aiixxd27Literal_5bbool_5d_28True_29.exit: ; preds = %B562.i499
  %.1296464 = lshr i64 %.436, 1
  %.1325 = icmp sgt i64 %left.5.1.i, %.1296464
  %.1264..1296464 = tail call i64 @llvm.smin.i64(i64 %left.5.1.i491, i64 %.1296464)
  %"$phi1262.1.3.2" = select i1 %.1325, i64 %left.5.1.i, i64 %.1264..1296464
  %.1367 = add nsw i64 %"$phi1262.1.3.2", %.435
  %.1382 = load i32, ptr %invariant.gep96.i, align 4
  %.1383 = sext i32 %.1382 to i64
  %.1386 = getelementptr double, ptr %5, i64 %.1383
  %.1387 = load double, ptr %.1386, align 8
  %.1393 = getelementptr i32, ptr %arg.places, i64 %.1367
  %.1394 = load i32, ptr %.1393, align 4
  %.1395 = sext i32 %.1394 to i64
  %.1398 = getelementptr double, ptr %5, i64 %.1395
  %.1399 = load double, ptr %.1398, align 8
  %.1488567.not = icmp slt i64 %"$phi1262.1.3.2", 1
  br i1 %.1488567.not, label %B1454, label %B1380.if

B1454:                                            ; preds = %B1380.if, %_ZN6models6points17neighbour_kernels11_swap_belowB3v24B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEx10float64_2a8int32_2aiixxd27Literal_5bbool_5d_28True_29.exit
  %low.6.2.lcssa = phi double [ %.1387, %_ZN6models6points17neighbour_kernels11_swap_belowB3v24B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEx10float64_2a8int32_2aiixxd27Literal_5bbool_5d_28True_29.exit ], [ %.11.i539, %B1380.if ]
  %.1618 = sub i64 %.434, %.1367
  %.1661572.not = icmp slt i64 %.1618, 1
  br i1 %.1661572.not, label %B1560, label %B1486.if

B1560:                                            ; preds = %B1486.if, %B1454
  %high.6.2.lcssa = phi double [ %.1399, %B1454 ], [ %.11.i541, %B1486.if ]
  %.1750.idx = shl i64 %node.2.0, 4
  %.1750 = getelementptr i8, ptr %arg.cuts, i64 %.1750.idx
  store double %low.6.2.lcssa, ptr %.1750, align 8
  %.1759 = getelementptr i8, ptr %.1750, i64 8
  store double %high.6.2.lcssa, ptr %.1759, align 8
  %10 = getelementptr double, ptr %arg.boxes, i64 %.422
  br label %B1638.if

B1718:                                            ; preds = %B1672.if
  %.1854 = add nsw i64 %.1792.0580, -1
  %.1858 = add i64 %.1789.0579, 1
  %.idx = shl i64 %.1789.0579, 4
  %11 = getelementptr i8, ptr %arg.nodes, i64 %.idx
  %.2026 = getelementptr i8, ptr %11, i64 8
  store i32 0, ptr %.2026, align 4
  %.1845 = icmp samesign ugt i64 %.1792.0580, 1
  br i1 %.1845, label %B1638.if, label %B1742

B1742:                                            ; preds = %B1718
  %.1764 = add nsw i64 %made.2.0, 2
  %.idx542 = mul i64 %made.2.0, 48
  %12 = getelementptr i8, ptr %arg.boxes, i64 %.idx542
  %13 = getelementptr double, ptr %12, i64 %.1119
  %.2043 = getelementptr i8, ptr %13, i64 8
  store double %.11.i470, ptr %.2043, align 8
  %14 = getelementptr i8, ptr %12, i64 48
  %.2053 = getelementptr double, ptr %14, i64 %.1119
  store double %.11.i470, ptr %.2053, align 8
  %.2061.idx = shl i64 %made.2.0, 4
  %.2061 = getelementptr i8, ptr %arg.nodes, i64 %.2061.idx
  store i32 %.414, ptr %.2061, align 4
  %.2070 = trunc i64 %.1367 to i32
  %.2071 = getelementptr i8, ptr %.2061, i64 4
  store i32 %.2070, ptr %.2071, align 4
  %.2079 = getelementptr i8, ptr %.2061, i64 16
  store i32 %.2070, ptr %.2079, align 4
  %.2086 = getelementptr i8, ptr %.2061, i64 20
  store i32 %.420, ptr %.2086, align 4
  store i32 %.2070, ptr %.419, align 4
  %.2105 = trunc i64 %made.2.0 to i32
  %.2106 = getelementptr i8, ptr %.413, i64 8
  store i32 %.2105, ptr %.2106, align 4
  %.2113 = trunc i64 %split.3.3 to i32
  %.2114 = getelementptr i8, ptr %.413, i64 12
  store i32 %.2113, ptr %.2114, align 4
  br label %B1974

B1974:                                            ; preds = %B1742, %B370
  %made.3.1 = phi i64 [ %.1764, %B1742 ], [ %made.2.0, %B370 ]
  %.2137 = add nuw nsw i64 %node.2.0, 1
  %.2141 = icmp slt i64 %.2137, %made.3.1
  br i1 %.2141, label %B370, label %B1998

B1998:                                            ; preds = %B1974
  store ptr null, ptr %retptr, align 8
  ret i32 0

B34.if:                                           ; preds = %entry, %B34.loopexit
  %.45.0551 = phi i64 [ 0, %entry ], [ %.116, %B34.loopexit ]
  %.48.0550 = phi i64 [ 3, %entry ], [ %.112, %B34.loopexit ]
  %.112 = add nsw i64 %.48.0550, -1
  %.116 = add nuw nsw i64 %.45.0551, 1
  %.146 = mul nsw i64 %.45.0551, %arg.n
  %.148 = getelementptr double, ptr %arg.points, i64 %.146
  %.149 = load double, ptr %.148, align 8
  %.153.idx = shl i64 %.45.0551, 4
  %.153 = getelementptr i8, ptr %arg.boxes, i64 %.153.idx
  store double %.149, ptr %.153, align 8
  %.159 = getelementptr i8, ptr %.153, i64 8
  store double %.149, ptr %.159, align 8
  br i1 %.241545.not, label %B34.loopexit, label %B124.if.lr.ph

B124.if.lr.ph:                                    ; preds = %B34.if
  %.153.promoted = load double, ptr %.153, align 8
  %.159.promoted = load double, ptr %.159, align 8
  br label %B124.if

B124.if:                                          ; preds = %B124.if.lr.ph, %B124.if
  %.11.i531549 = phi double [ %.159.promoted, %B124.if.lr.ph ], [ %.11.i531, %B124.if ]
  %.283548 = phi double [ %.153.promoted, %B124.if.lr.ph ], [ %.11.i529, %B124.if ]
  %.185.0547 = phi i64 [ 0, %B124.if.lr.ph ], [ %.254, %B124.if ]
  %.188.0546 = phi i64 [ %storemerge468, %B124.if.lr.ph ], [ %.250, %B124.if ]
  %.250 = add nsw i64 %.188.0546, -1
  %.254 = add nuw nsw i64 %.185.0547, 1
  %.289 = getelementptr double, ptr %.148, i64 %.185.0547
  %.290 = load double, ptr %.289, align 8
  %.10.i528 = fcmp olt double %.290, %.283548
  %.11.i529 = select i1 %.10.i528, double %.290, double %.283548
  %.10.i530 = fcmp ogt double %.290, %.11.i531549
  %.11.i531 = select i1 %.10.i530, double %.290, double %.11.i531549
  %.241 = icmp sgt i64 %.188.0546, 1
  br i1 %.241, label %B124.if, label %B124.B34.loopexit_crit_edge

B498.if:                                          ; preds = %B498.preheader, %B498.if
  %longest.2.2554 = phi double [ 0.000000e+00, %B498.preheader ], [ %.11.i533, %B498.if ]
  %.471.0553 = phi i64 [ 0, %B498.preheader ], [ %.540, %B498.if ]
  %.474.0552 = phi i64 [ 3, %B498.preheader ], [ %.536, %B498.if ]
  %.536 = add nsw i64 %.474.0552, -1
  %.540 = add nuw nsw i64 %.471.0553, 1
  %.idx544 = shl i64 %.471.0553, 4
  %15 = getelementptr i8, ptr %0, i64 %.idx544
  %.570 = getelementptr i8, ptr %15, i64 8
  %.571 = load double, ptr %.570, align 8
  %.577 = load double, ptr %15, align 8
  %.578 = fsub double %.571, %.577
  %.10.i532 = fcmp ogt double %.578, %longest.2.2554
  %.11.i533 = select i1 %.10.i532, double %.578, double %longest.2.2554
  %.527 = icmp samesign ugt i64 %.474.0552, 1
  br i1 %.527, label %B498.if, label %B640.preheader

B640.if:                                          ; preds = %B640.preheader, %B996
  %high.4.2566 = phi double [ 0.000000e+00, %B640.preheader ], [ %high.5.3, %B996 ]
  %low.4.2565 = phi double [ 0.000000e+00, %B640.preheader ], [ %low.5.3, %B996 ]
  %spread.2.2564 = phi double [ -1.000000e+00, %B640.preheader ], [ %spread.3.3, %B996 ]
  %split.2.2563 = phi i64 [ 0, %B640.preheader ], [ %split.3.3, %B996 ]
  %.661.0562 = phi i64 [ 3, %B640.preheader ], [ %.723, %B996 ]
  %.658.0561 = phi i64 [ 0, %B640.preheader ], [ %.727, %B996 ]
  %.723 = add nsw i64 %.661.0562, -1
  %.727 = add nuw nsw i64 %.658.0561, 1
  %.idx543 = shl i64 %.658.0561, 4
  %16 = getelementptr i8, ptr %1, i64 %.idx543
  %.777 = getelementptr i8, ptr %16, i64 8
  %.778 = load double, ptr %.777, align 8
  %.785 = load double, ptr %16, align 8
  %.786 = fsub double %.778, %.785
  %.789 = fcmp ogt double %.786, %.788
  br i1 %.789, label %B732, label %B996

B808.if:                                          ; preds = %B732, %B808.if
  %most.2.4559 = phi double [ %.11.i537, %B808.if ], [ %.811, %B732 ]
  %least.2.4558 = phi double [ %.11.i535, %B808.if ], [ %.811, %B732 ]
  %.846.0557 = phi i32 [ %.908, %B808.if ], [ %storemerge467, %B732 ]
  %.843.0556 = phi i32 [ %.912, %B808.if ], [ %.414, %B732 ]
  %.908 = add nsw i32 %.846.0557, -1
  %.912 = add i32 %.843.0556, 1
  %.941 = sext i32 %.843.0556 to i64
  %.942 = getelementptr i32, ptr %arg.places, i64 %.941
  %.943 = load i32, ptr %.942, align 4
  %.944 = sext i32 %.943 to i64
  %.947 = getelementptr double, ptr %2, i64 %.944
  %.948 = load double, ptr %.947, align 8
  %.10.i534 = fcmp olt double %.948, %least.2.4558
  %.11.i535 = select i1 %.10.i534, double %.948, double %least.2.4558
  %.10.i536 = fcmp ogt double %.948, %most.2.4559
  %.11.i537 = select i1 %.10.i536, double %.948, double %most.2.4559
  %.899 = icmp sgt i32 %.846.0557, 1
  br i1 %.899, label %B808.if, label %B950

B1380.if:                                         ; preds = %_ZN6models6points17neighbour_kernels11_swap_belowB3v24B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEx10float64_2a8int32_2aiixxd27Literal_5bbool_5d_28True_29.exit, %B1380.if
  %low.6.2570 = phi double [ %.11.i539, %B1380.if ], [ %.1387, %_ZN6models6points17neighbour_kernels11_swap_belowB3v24B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEx10float64_2a8int32_2aiixxd27Literal_5bbool_5d_28True_29.exit ]
  %.1435.0569 = phi i64 [ %.1497, %B1380.if ], [ %"$phi1262.1.3.2", %_ZN6models6points17neighbour_kernels11_swap_belowB3v24B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEx10float64_2a8int32_2aiixxd27Literal_5bbool_5d_28True_29.exit ]
  %.1432.0568 = phi i64 [ %.1501, %B1380.if ], [ %.435, %_ZN6models6points17neighbour_kernels11_swap_belowB3v24B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEx10float64_2a8int32_2aiixxd27Literal_5bbool_5d_28True_29.exit ]
  %.1497 = add nsw i64 %.1435.0569, -1
  %.1501 = add i64 %.1432.0568, 1
  %.1530 = getelementptr i32, ptr %arg.places, i64 %.1432.0568
  %.1531 = load i32, ptr %.1530, align 4
  %.1532 = sext i32 %.1531 to i64
  %.1535 = getelementptr double, ptr %5, i64 %.1532
  %.1536 = load double, ptr %.1535, align 8
  %.10.i538 = fcmp ogt double %.1536, %low.6.2570
  %.11.i539 = select i1 %.10.i538, double %.1536, double %low.6.2570
  %.1488 = icmp sgt i64 %.1435.0569, 1
  br i1 %.1488, label %B1380.if, label %B1454

B1486.if:                                         ; preds = %B1454, %B1486.if
  %high.6.2575 = phi double [ %.11.i541, %B1486.if ], [ %.1399, %B1454 ]
  %.1608.0574 = phi i64 [ %.1670, %B1486.if ], [ %.1618, %B1454 ]
  %.1605.0573 = phi i64 [ %.1674, %B1486.if ], [ %.1367, %B1454 ]
  %.1670 = add nsw i64 %.1608.0574, -1
  %.1674 = add i64 %.1605.0573, 1
  %.1703 = getelementptr i32, ptr %arg.places, i64 %.1605.0573
  %.1704 = load i32, ptr %.1703, align 4
  %.1705 = sext i32 %.1704 to i64
  %.1708 = getelementptr double, ptr %5, i64 %.1705
  %.1709 = load double, ptr %.1708, align 8
  %.10.i540 = fcmp olt double %.1709, %high.6.2575
  %.11.i541 = select i1 %.10.i540, double %.1709, double %high.6.2575
  %.1661 = icmp sgt i64 %.1608.0574, 1
  br i1 %.1661, label %B1486.if, label %B1560

B1638.if:                                         ; preds = %B1560, %B1718
  %.1792.0580 = phi i64 [ 2, %B1560 ], [ %.1854, %B1718 ]
  %.1789.0579 = phi i64 [ %made.2.0, %B1560 ], [ %.1858, %B1718 ]
  %.idx466 = mul i64 %.1789.0579, 48
  %17 = getelementptr i8, ptr %arg.boxes, i64 %.idx466
  br label %B1672.if

B1672.if:                                         ; preds = %B1638.if, %B1672.if
  %.1912.0578 = phi i64 [ 6, %B1638.if ], [ %.1974, %B1672.if ]
  %.1909.0577 = phi i64 [ 0, %B1638.if ], [ %.1978, %B1672.if ]
  %.1974 = add nsw i64 %.1912.0578, -1
  %.1978 = add nuw nsw i64 %.1909.0577, 1
  %.2006 = getelementptr double, ptr %10, i64 %.1909.0577
  %.2007 = load double, ptr %.2006, align 8
  %.2012 = getelementptr double, ptr %17, i64 %.1909.0577
  store double %.2007, ptr %.2012, align 8
  %.1965 = icmp samesign ugt i64 %.1912.0578, 1
  br i1 %.1965, label %B1672.if, label %B1718
}

; Function Attrs: nofree norecurse nosync nounwind memory(argmem: readwrite)
define noundef i32 @nearest(ptr noalias writeonly captures(none) %retptr, ptr noalias readnone captures(none) %excinfo, ptr noalias readonly captures(none) %arg.xs, ptr noalias readonly captures(none) %arg.ys, ptr noalias readonly captures(none) %arg.zs, ptr noalias readonly captures(none) %arg.place, ptr noalias readonly captures(none) %arg.nodes, ptr noalias readonly captures(none) %arg.cuts, i64 %arg.strips, ptr noalias readonly captures(none) %arg.starts, ptr noalias readonly captures(none) %arg.lows, ptr noalias readonly captures(none) %arg.highs, i64 %arg.most, double %arg.radius, ptr noalias writeonly captures(none) %arg.squares, ptr noalias writeonly captures(none) %arg.index, ptr noalias captures(none) %arg.near, ptr noalias captures(none) %arg.who, ptr noalias captures(none) %arg.bucket, ptr noalias captures(none) %arg.fill, ptr noalias captures(none) %arg.window, ptr noalias captures(none) %arg.kept, ptr noalias captures(none) %arg.points) local_unnamed_addr #0 {
entry:
  %storemerge = tail call i64 @llvm.smax.i64(i64 %arg.strips, i64 0)
  %.154476 = icmp sgt i64 %arg.strips, 0
  br i1 %.154476, label %B74.preheader.lr.ph, label %B1618

B74.preheader.lr.ph:                              ; preds = %entry
  %.98.1478 = add nsw i64 %storemerge, -1
  %.1259 = getelementptr i8, ptr %arg.fill, i64 256
  %.1283 = sitofp i64 %arg.most to double
  %.1284 = fmul double %.1283, 1.100000e+00
  %.84.i = icmp sgt i64 %arg.most, 0
  %.31.i.i = getelementptr i8, ptr %arg.nodes, i64 8
  %0 = getelementptr double, ptr %arg.kept, i64 %arg.most
  %.1618 = getelementptr i8, ptr %0, i64 -8
  %.1634 = fmul double %arg.radius, 0x3EB0C6F7A0B5ED8D
  %1 = shl i64 %arg.most, 3
  %2 = shl i64 %arg.most, 2
  br label %B74.preheader

B38.loopexit:                                     ; preds = %B1532, %B130
  %reach.4.1.lcssa = phi double [ %reach.5.0480, %B130 ], [ %.11.i453, %B1532 ]
  %.154 = icmp sgt i64 %.98.1481, 0
  %.163 = sext i1 %.154 to i64
  %.98.1 = add nsw i64 %.98.1481, %.163
  %.167 = zext i1 %.154 to i64
  %.95.1 = add i64 %.95.1482, %.167
  %.144.sroa.0.0 = select i1 %.154, i64 %.95.1482, i64 0
  br i1 %.154, label %B74.preheader, label %B1618

B74.preheader:                                    ; preds = %B74.preheader.lr.ph, %B38.loopexit
  %.144.sroa.0.0483 = phi i64 [ 0, %B74.preheader.lr.ph ], [ %.144.sroa.0.0, %B38.loopexit ]
  %.95.1482 = phi i64 [ 1, %B74.preheader.lr.ph ], [ %.95.1, %B38.loopexit ]
  %.98.1481 = phi i64 [ %.98.1478, %B74.preheader.lr.ph ], [ %.98.1, %B38.loopexit ]
  %reach.5.0480 = phi double [ %arg.radius, %B74.preheader.lr.ph ], [ %reach.4.1.lcssa, %B38.loopexit ]
  br label %B74.if

B130:                                             ; preds = %B74.if
  %.338 = getelementptr i32, ptr %arg.starts, i64 %.144.sroa.0.0483
  %.339 = load i32, ptr %.338, align 4
  %.343 = getelementptr i8, ptr %.338, i64 4
  %.344 = load i32, ptr %.343, align 4
  %.381 = sub i32 %.344, %.339
  %.425472.not = icmp slt i32 %.381, 1
  br i1 %.425472.not, label %B38.loopexit, label %B194.if.lr.ph

B194.if.lr.ph:                                    ; preds = %B130
  %.642 = icmp sgt i64 %.144.sroa.0.0483, 0
  %3 = getelementptr double, ptr %arg.highs, i64 %.144.sroa.0.0483
  %.656 = getelementptr i8, ptr %3, i64 -8
  br label %B194.if

B248:                                             ; preds = %B1086, %B194.if
  %reach.3.2 = phi double [ %reach.4.1475, %B194.if ], [ %.11.i449, %B1086 ]
  tail call void @llvm.memset.p0.i64(ptr noundef nonnull align 4 dereferenceable(260) %arg.fill, i8 0, i64 260, i1 false)
  %.499 = fmul double %reach.3.2, %reach.3.2
  br i1 %.642, label %B340, label %B434

B340:                                             ; preds = %B248
  %.657 = load double, ptr %.656, align 8
  %.659 = fsub double %.476, %.657
  %.661 = fcmp ugt double %.659, %reach.3.2
  br i1 %.661, label %B434, label %B376

B376:                                             ; preds = %B340, %B398
  %strip.4.3 = phi i64 [ %.667, %B398 ], [ %.144.sroa.0.0483, %B340 ]
  %.677 = icmp sgt i64 %strip.4.3, 1
  br i1 %.677, label %B398, label %B434

B398:                                             ; preds = %B376
  %.667 = add nsw i64 %strip.4.3, -1
  %4 = getelementptr double, ptr %arg.highs, i64 %strip.4.3
  %.690 = getelementptr i8, ptr %4, i64 -16
  %.691 = load double, ptr %.690, align 8
  %.693 = fsub double %.476, %.691
  %.695 = fcmp ugt double %.693, %reach.3.2
  br i1 %.695, label %B434, label %B376

B434:                                             ; preds = %B398, %B376, %B340, %B248
  %strip.5.4 = phi i64 [ %.144.sroa.0.0483, %B340 ], [ %.144.sroa.0.0483, %B248 ], [ %.667, %B398 ], [ 0, %B376 ]
  %.714 = icmp slt i64 %strip.5.4, %arg.strips
  br i1 %.714, label %B446, label %B948

B446:                                             ; preds = %B434
  %.731 = getelementptr double, ptr %arg.lows, i64 %strip.5.4
  %.732 = load double, ptr %.731, align 8
  %.736 = fsub double %.732, %.476
  %.738 = fcmp ugt double %.736, %reach.3.2
  br i1 %.738, label %B948, label %B476.preheader

B476.preheader:                                   ; preds = %B446
  %.950 = fdiv double 6.400000e+01, %.499
  br label %B476

B476:                                             ; preds = %B476.preheader, %B918
  %strip.6.3 = phi i64 [ %.751, %B918 ], [ %strip.5.4, %B476.preheader ]
  %found.2.3 = phi i64 [ %.1060, %B918 ], [ 0, %B476.preheader ]
  %.748 = getelementptr i32, ptr %arg.starts, i64 %strip.6.3
  %.749 = load i32, ptr %.748, align 4
  %.751 = add nsw i64 %strip.6.3, 1
  %.753 = getelementptr i32, ptr %arg.starts, i64 %.751
  %.754 = load i32, ptr %.753, align 4
  %.28.idx.i = shl i64 %strip.6.3, 3
  %.28.i = getelementptr i8, ptr %arg.window, i64 %.28.idx.i
  %.29.i = load i32, ptr %.28.i, align 4, !noalias !6
  %.34.i = getelementptr i8, ptr %.28.i, i64 4
  %.35.i = load i32, ptr %.34.i, align 4, !noalias !6
  %.43.i = sext i32 %.29.i to i64
  %.49.i = icmp sgt i32 %.29.i, %.749
  br i1 %.49.i, label %B66.i, label %B160.i

B66.i:                                            ; preds = %B476
  %5 = getelementptr double, ptr %arg.ys, i64 %.43.i
  %.66.i = getelementptr i8, ptr %5, i64 -8
  %.67.i = load double, ptr %.66.i, align 8, !noalias !6
  %.69.i = fsub double %.481, %.67.i
  %.71.i = fcmp ugt double %.69.i, %reach.3.2
  br i1 %.71.i, label %B160.i, label %B102.preheader.i

B102.preheader.i:                                 ; preds = %B66.i
  %.88.i = sext i32 %.749 to i64
  br label %B102.i

B102.i:                                           ; preds = %B124.i, %B102.preheader.i
  %first.3.0.i = phi i64 [ %.77.i, %B124.i ], [ %.43.i, %B102.preheader.i ]
  %.77.i = add nsw i64 %first.3.0.i, -1
  %.89.i = icmp sgt i64 %.77.i, %.88.i
  br i1 %.89.i, label %B124.i, label %B160.i

B124.i:                                           ; preds = %B102.i
  %6 = getelementptr double, ptr %arg.ys, i64 %first.3.0.i
  %.102.i = getelementptr i8, ptr %6, i64 -16
  %.103.i = load double, ptr %.102.i, align 8, !noalias !6
  %.105.i = fsub double %.481, %.103.i
  %.107.i = fcmp ugt double %.105.i, %reach.3.2
  br i1 %.107.i, label %B160.i, label %B102.i

B160.i:                                           ; preds = %B124.i, %B102.i, %B66.i, %B476
  %first.4.1.i = phi i64 [ %.43.i, %B66.i ], [ %.43.i, %B476 ], [ %.88.i, %B102.i ], [ %.77.i, %B124.i ]
  %.128.i = sext i32 %.754 to i64
  %.129.i = icmp slt i64 %first.4.1.i, %.128.i
  br i1 %.129.i, label %B172.i, label %B254.i

B172.i:                                           ; preds = %B160.i
  %.140.i = getelementptr double, ptr %arg.ys, i64 %first.4.1.i
  %.141.i = load double, ptr %.140.i, align 8, !noalias !6
  %.145.i = fsub double %.481, %.141.i
  %.147.i = fcmp ogt double %.145.i, %reach.3.2
  br i1 %.147.i, label %B202.i, label %B254.i

B202.i:                                           ; preds = %B172.i, %B224.i
  %first.5.0.i = phi i64 [ %.153.i, %B224.i ], [ %first.4.1.i, %B172.i ]
  %.153.i = add nsw i64 %first.5.0.i, 1
  %.165.i = icmp slt i64 %.153.i, %.128.i
  br i1 %.165.i, label %B224.i, label %B254.i

B224.i:                                           ; preds = %B202.i
  %.175.i = getelementptr double, ptr %arg.ys, i64 %.153.i
  %.176.i = load double, ptr %.175.i, align 8, !noalias !6
  %.180.i = fsub double %.481, %.176.i
  %.182.i = fcmp ogt double %.180.i, %reach.3.2
  br i1 %.182.i, label %B202.i, label %B254.i

B254.i:                                           ; preds = %B224.i, %B202.i, %B172.i, %B160.i
  %first.6.1.i = phi i64 [ %first.4.1.i, %B172.i ], [ %first.4.1.i, %B160.i ], [ %.128.i, %B202.i ], [ %.153.i, %B224.i ]
  %.8.i.i = sext i32 %.35.i to i64
  %.10.i.i = tail call i64 @llvm.smax.i64(i64 range(i64 -2147483649, 2147483648) %first.6.1.i, i64 %.8.i.i)
  %.236.i = icmp slt i64 %first.6.1.i, %.8.i.i
  br i1 %.236.i, label %B298.i, label %B392.i

B298.i:                                           ; preds = %B254.i
  %7 = getelementptr double, ptr %arg.ys, i64 %.10.i.i
  %.250.i = getelementptr i8, ptr %7, i64 -8
  %.251.i = load double, ptr %.250.i, align 8, !noalias !6
  %.253.i = fsub double %.251.i, %.481
  %.255.i = fcmp ogt double %.253.i, %reach.3.2
  br i1 %.255.i, label %B334.i, label %B392.i

B334.i:                                           ; preds = %B298.i, %B356.i
  %last.1.3.0.i = phi i64 [ %.261.i, %B356.i ], [ %.10.i.i, %B298.i ]
  %.261.i = add nsw i64 %last.1.3.0.i, -1
  %.272.i = icmp sgt i64 %.261.i, %first.6.1.i
  br i1 %.272.i, label %B356.i, label %B392.i

B356.i:                                           ; preds = %B334.i
  %8 = getelementptr double, ptr %arg.ys, i64 %last.1.3.0.i
  %.285.i = getelementptr i8, ptr %8, i64 -16
  %.286.i = load double, ptr %.285.i, align 8, !noalias !6
  %.288.i = fsub double %.286.i, %.481
  %.290.i = fcmp ogt double %.288.i, %reach.3.2
  br i1 %.290.i, label %B334.i, label %B392.i

B392.i:                                           ; preds = %B356.i, %B334.i, %B298.i, %B254.i
  %last.1.4.1.i = phi i64 [ %.10.i.i, %B298.i ], [ %.10.i.i, %B254.i ], [ %first.6.1.i, %B334.i ], [ %.261.i, %B356.i ]
  %.310.i = icmp slt i64 %last.1.4.1.i, %.128.i
  br i1 %.310.i, label %B404.i, label %_ZN6models6points17neighbour_kernels6_slideB3v26B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8int32_2axii10float64_2add.exit

B404.i:                                           ; preds = %B392.i
  %.321.i = getelementptr double, ptr %arg.ys, i64 %last.1.4.1.i
  %.322.i = load double, ptr %.321.i, align 8, !noalias !6
  %.326.i = fsub double %.322.i, %.481
  %.328.i = fcmp ugt double %.326.i, %reach.3.2
  br i1 %.328.i, label %_ZN6models6points17neighbour_kernels6_slideB3v26B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8int32_2axii10float64_2add.exit, label %B434.i

B434.i:                                           ; preds = %B404.i, %B456.i
  %last.1.5.0.i = phi i64 [ %.334.i, %B456.i ], [ %last.1.4.1.i, %B404.i ]
  %.334.i = add nsw i64 %last.1.5.0.i, 1
  %.346.i = icmp slt i64 %.334.i, %.128.i
  br i1 %.346.i, label %B456.i, label %_ZN6models6points17neighbour_kernels6_slideB3v26B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8int32_2axii10float64_2add.exit

B456.i:                                           ; preds = %B434.i
  %.356.i = getelementptr double, ptr %arg.ys, i64 %.334.i
  %.357.i = load double, ptr %.356.i, align 8, !noalias !6
  %.361.i = fsub double %.357.i, %.481
  %.363.i = fcmp ugt double %.361.i, %reach.3.2
  br i1 %.363.i, label %_ZN6models6points17neighbour_kernels6_slideB3v26B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8int32_2axii10float64_2add.exit, label %B434.i

_ZN6models6points17neighbour_kernels6_slideB3v26B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8int32_2axii10float64_2add.exit: ; preds = %B434.i, %B456.i, %B392.i, %B404.i
  %last.1.6.1.i = phi i64 [ %last.1.4.1.i, %B404.i ], [ %last.1.4.1.i, %B392.i ], [ %.128.i, %B434.i ], [ %.334.i, %B456.i ]
  %.388.i = trunc nsw i64 %first.6.1.i to i32
  store i32 %.388.i, ptr %.28.i, align 4, !noalias !6
  %.398.i = trunc nsw i64 %last.1.6.1.i to i32
  store i32 %.398.i, ptr %.34.i, align 4, !noalias !6
  %.830 = sub nsw i64 %last.1.6.1.i, %first.6.1.i
  %.873463.not = icmp slt i64 %.830, 1
  br i1 %.873463.not, label %B880, label %B586.if.lr.ph

B586.if.lr.ph:                                    ; preds = %_ZN6models6points17neighbour_kernels6_slideB3v26B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8int32_2axii10float64_2add.exit
  %.939 = sub i64 %found.2.3, %first.6.1.i
  br label %B586.if

B880:                                             ; preds = %B586.if, %_ZN6models6points17neighbour_kernels6_slideB3v26B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8int32_2axii10float64_2add.exit
  %.1060 = add nsw i64 %.830, %found.2.3
  %.1078 = icmp slt i64 %.751, %arg.strips
  br i1 %.1078, label %B918, label %B948

B918:                                             ; preds = %B880
  %.1093 = getelementptr double, ptr %arg.lows, i64 %.751
  %.1094 = load double, ptr %.1093, align 8
  %.1098 = fsub double %.1094, %.476
  %.1100 = fcmp ugt double %.1098, %reach.3.2
  br i1 %.1100, label %B948, label %B476

B948:                                             ; preds = %B918, %B880, %B446, %B434
  %found.3.4 = phi i64 [ 0, %B446 ], [ 0, %B434 ], [ %.1060, %B880 ], [ %.1060, %B918 ]
  %.1159 = icmp slt i64 %found.3.4, 1
  br i1 %.1159, label %B1028, label %B978.if

B1028:                                            ; preds = %B978.if, %B948
  %.1260 = load i32, ptr %.1259, align 4
  %.1262 = sext i32 %.1260 to i64
  %.1263 = sub nsw i64 %found.3.4, %.1262
  %.1269.not = icmp slt i64 %.1263, %arg.most
  %.1273 = fcmp ult double %reach.3.2, %arg.radius
  %or.cond = select i1 %.1269.not, i1 %.1273, i1 false
  br i1 %or.cond, label %B1086, label %B1084

B1084:                                            ; preds = %B1028
  %.434 = add nsw i32 %.371.0473, -1
  %.438 = add i32 %.368.0474, 1
  br i1 %.84.i, label %B46.i, label %B126.i

B46.i:                                            ; preds = %B1084, %B46.i
  %total.2.0.i = phi i64 [ %.103.i443, %B46.i ], [ 0, %B1084 ]
  %used.2.0.i = phi i64 [ %.113.i, %B46.i ], [ 0, %B1084 ]
  %.93.i = getelementptr i32, ptr %arg.fill, i64 %used.2.0.i
  %.94.i = load i32, ptr %.93.i, align 4, !noalias !9
  %.98.i = trunc i64 %total.2.0.i to i32
  store i32 %.98.i, ptr %.93.i, align 4, !noalias !9
  %.102.i442 = sext i32 %.94.i to i64
  %.103.i443 = add nsw i64 %total.2.0.i, %.102.i442
  %.113.i = add nuw nsw i64 %used.2.0.i, 1
  %.123.i = icmp samesign ult i64 %used.2.0.i, 63
  %.141.i444 = icmp slt i64 %.103.i443, %arg.most
  %or.cond.i = select i1 %.123.i, i1 %.141.i444, i1 false
  br i1 %or.cond.i, label %B46.i, label %B126.i

B126.i:                                           ; preds = %B46.i, %B1084
  %total.3.1.i = phi i64 [ 0, %B1084 ], [ %.103.i443, %B46.i ]
  %used.3.1.i = phi i64 [ 0, %B1084 ], [ %.113.i, %B46.i ]
  br i1 %.1159, label %B296.i, label %B166.if.i

B194.i:                                           ; preds = %B166.if.i
  %.298.i = getelementptr i32, ptr %arg.fill, i64 %.289.i
  %.299.i = load i32, ptr %.298.i, align 4, !noalias !9
  %.300.i = sext i32 %.299.i to i64
  %.301.i = add i32 %.299.i, 1
  store i32 %.301.i, ptr %.298.i, align 4, !noalias !9
  %.313.i = getelementptr double, ptr %arg.near, i64 %.185.0237.i
  %.314.i = load double, ptr %.313.i, align 8, !noalias !9
  %.317.i = getelementptr double, ptr %arg.kept, i64 %.300.i
  store double %.314.i, ptr %.317.i, align 8, !noalias !9
  %.321.i440 = getelementptr i32, ptr %arg.who, i64 %.185.0237.i
  %.322.i441 = load i32, ptr %.321.i440, align 4, !noalias !9
  %.327.i = getelementptr i32, ptr %arg.points, i64 %.300.i
  store i32 %.322.i441, ptr %.327.i, align 4, !noalias !9
  br label %B294.i

B294.i:                                           ; preds = %B166.if.i, %B194.i
  %.243.i = icmp sgt i64 %.185.0237.in.i, 1
  br i1 %.243.i, label %B166.if.i, label %B296.i

B296.i:                                           ; preds = %B294.i, %B126.i
  %.432241.not.i = icmp slt i64 %total.3.1.i, 1
  br i1 %.432241.not.i, label %_ZN6models6points17neighbour_kernels5_sortB3v31B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAExx10float64_2a8int32_2a8int32_2a8int32_2a10float64_2a8int32_2a8int32_2a8int32_2a10float64_2addd.exit, label %B330.if.i

B390.i:                                           ; preds = %B390.preheader.i, %B602.i
  %step.3.1.i = phi i64 [ %step.4.2.i, %B602.i ], [ 1, %B390.preheader.i ]
  %high.2.1.i = phi i64 [ %high.3.2.i, %B602.i ], [ %held.1.2.0244.i, %B390.preheader.i ]
  %low.2.1.i = phi i64 [ %low.3.2.i, %B602.i ], [ 0, %B390.preheader.i ]
  %.504.i = sub nsw i64 %high.2.1.i, %low.2.1.i
  %.11.i.i = tail call i64 @llvm.smin.i64(i64 %.504.i, i64 %step.3.1.i)
  %.535.i = sub nsw i64 %high.2.1.i, %.11.i.i
  %.541.i = getelementptr double, ptr %arg.kept, i64 %.535.i
  %.542.i = load double, ptr %.541.i, align 8, !noalias !9
  %.544.i = fcmp ogt double %.542.i, %.472.i
  br i1 %.544.i, label %B560.i, label %B458.i

B458.i:                                           ; preds = %B390.i
  %.551.i = fcmp oeq double %.542.i, %.472.i
  br i1 %.551.i, label %B482.i, label %B576.i

B482.i:                                           ; preds = %B458.i
  %.558.i = load i32, ptr %.557.i, align 4, !noalias !9
  %.561.i = getelementptr i32, ptr %arg.points, i64 %.535.i
  %.562.i = load i32, ptr %.561.i, align 4, !noalias !9
  %.564.i = sext i32 %.562.i to i64
  %.565.i = getelementptr i32, ptr %arg.place, i64 %.564.i
  %.566.i = load i32, ptr %.565.i, align 4, !noalias !9
  %.32.i.i = load i32, ptr %.31.i.i, align 4, !noalias !12
  %.33.not.i.i = icmp eq i32 %.32.i.i, 0
  br i1 %.33.not.i.i, label %B326.i.i, label %B36.i.i

B36.i.i:                                          ; preds = %B482.i, %B272.i.i
  %node.2.0.i.i = phi i64 [ %"$phi296.0.2.1.i.i", %B272.i.i ], [ 0, %B482.i ]
  %.idx37.i.i = shl nsw i64 %node.2.0.i.i, 4
  %9 = getelementptr i8, ptr %arg.nodes, i64 %.idx37.i.i
  %.42.i.i = getelementptr i8, ptr %9, i64 4
  %.43.i.i = load i32, ptr %.42.i.i, align 4, !noalias !12
  %.67.i.i = icmp slt i32 %.558.i, %.43.i.i
  %.70.i.i = icmp slt i32 %.566.i, %.43.i.i
  %.71.i.i = xor i1 %.67.i.i, %.70.i.i
  br i1 %.71.i.i, label %B148.i.i, label %B272.i.i

B148.i.i:                                         ; preds = %B36.i.i
  %.54.i.i = getelementptr i8, ptr %9, i64 12
  %.55.i.i = load i32, ptr %.54.i.i, align 4, !noalias !12
  switch i32 %.55.i.i, label %B180.i.i [
    i32 0, label %B182.i.i
    i32 1, label %B176.i.i
  ]

B176.i.i:                                         ; preds = %B148.i.i
  br label %B182.i.i

B180.i.i:                                         ; preds = %B148.i.i
  br label %B182.i.i

B182.i.i:                                         ; preds = %B180.i.i, %B176.i.i, %B148.i.i
  %"$phi182.0.3.0.i.i" = phi double [ %.486, %B180.i.i ], [ %.481, %B176.i.i ], [ %.476, %B148.i.i ]
  %.133.i.i = getelementptr i8, ptr %arg.cuts, i64 %.idx37.i.i
  %.134.i.i = load double, ptr %.133.i.i, align 8, !noalias !12
  %.135.i.i = fsub double %"$phi182.0.3.0.i.i", %.134.i.i
  %.142.i.i = getelementptr i8, ptr %.133.i.i, i64 8
  %.143.i.i = load double, ptr %.142.i.i, align 8, !noalias !12
  %.146.i.i = fsub double %"$phi182.0.3.0.i.i", %.143.i.i
  %.147.i.i = fadd double %.135.i.i, %.146.i.i
  %10 = fcmp uge double %.147.i.i, 0.000000e+00
  %.150.i.i = xor i1 %.67.i.i, %10
  br label %_ZN6models6points17neighbour_kernels11_first_seenB3v33B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEii8int32_2a10float64_2addd.exit.i

B272.i.i:                                         ; preds = %B36.i.i
  %.48.i.i = getelementptr i8, ptr %9, i64 8
  %.49.i.i = load i32, ptr %.48.i.i, align 4, !noalias !12
  %.167.i.i = sext i32 %.49.i.i to i64
  %not..67.i.i = xor i1 %.67.i.i, true
  %.174.i.i = zext i1 %not..67.i.i to i64
  %"$phi296.0.2.1.i.i" = add nsw i64 %.167.i.i, %.174.i.i
  %.idx.i.i = shl nsw i64 %"$phi296.0.2.1.i.i", 4
  %11 = getelementptr i8, ptr %arg.nodes, i64 %.idx.i.i
  %.188.i.i = getelementptr i8, ptr %11, i64 8
  %.189.i.i = load i32, ptr %.188.i.i, align 4, !noalias !12
  %.190.not.i.i = icmp eq i32 %.189.i.i, 0
  br i1 %.190.not.i.i, label %B326.i.i, label %B36.i.i

B326.i.i:                                         ; preds = %B272.i.i, %B482.i
  %.211.i.i = icmp slt i32 %.558.i, %.566.i
  br label %_ZN6models6points17neighbour_kernels11_first_seenB3v33B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEii8int32_2a10float64_2addd.exit.i

_ZN6models6points17neighbour_kernels11_first_seenB3v33B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEii8int32_2a10float64_2addd.exit.i: ; preds = %B326.i.i, %B182.i.i
  %storemerge.in.i.i = phi i1 [ %.211.i.i, %B326.i.i ], [ %.150.i.i, %B182.i.i ]
  br i1 %storemerge.in.i.i, label %B560.i, label %B576.i

B560.i:                                           ; preds = %_ZN6models6points17neighbour_kernels11_first_seenB3v33B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEii8int32_2a10float64_2addd.exit.i, %B390.i
  %.615.i = shl nsw i64 %step.3.1.i, 1
  br label %B602.i

B576.i:                                           ; preds = %_ZN6models6points17neighbour_kernels11_first_seenB3v33B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEii8int32_2a10float64_2addd.exit.i, %B458.i
  %.636.i = add nsw i64 %.535.i, 1
  %.651.0.i = ashr i64 %.11.i.i, 1
  br label %B602.i

B602.i:                                           ; preds = %B576.i, %B560.i
  %low.3.2.i = phi i64 [ %low.2.1.i, %B560.i ], [ %.636.i, %B576.i ]
  %step.4.2.i = phi i64 [ %.615.i, %B560.i ], [ %.651.0.i, %B576.i ]
  %high.3.2.i = phi i64 [ %.535.i, %B560.i ], [ %high.2.1.i, %B576.i ]
  %.705.i = icmp slt i64 %low.3.2.i, %high.3.2.i
  br i1 %.705.i, label %B390.i, label %B614.i

B614.i:                                           ; preds = %B602.i, %B330.if.i
  %low.4.2.i = phi i64 [ 0, %B330.if.i ], [ %low.3.2.i, %B602.i ]
  %.728.i = icmp slt i64 %low.4.2.i, %arg.most
  br i1 %.728.i, label %B626.i, label %B790.i

B626.i:                                           ; preds = %B614.i
  %.733.i = add nsw i64 %held.1.2.0244.i, 1
  %.11.i230.i = tail call i64 @llvm.smin.i64(i64 %arg.most, i64 %.733.i)
  %.769.i = add nsw i64 %.11.i230.i, -1
  %.807.i = sub i64 %low.4.2.i, %.769.i
  %.808.i = icmp sgt i64 %.807.i, 0
  %.827.i = sub nsw i64 0, %.807.i
  %storemerge229.i = select i1 %.808.i, i64 0, i64 %.827.i
  %.850238.i = icmp sgt i64 %storemerge229.i, 0
  br i1 %.850238.i, label %B704.if.i, label %B768.i

B768.i:                                           ; preds = %B704.if.i, %B626.i
  %.915.i = getelementptr double, ptr %arg.kept, i64 %low.4.2.i
  store double %.472.i, ptr %.915.i, align 8, !noalias !9
  %.922.i = getelementptr i32, ptr %arg.points, i64 %low.4.2.i
  store i32 %.475.i, ptr %.922.i, align 4, !noalias !9
  br label %B790.i

B790.i:                                           ; preds = %B768.i, %B614.i
  %held.1.3.1.i = phi i64 [ %.11.i230.i, %B768.i ], [ %held.1.2.0244.i, %B614.i ]
  %.432.i = icmp sgt i64 %.379.0242.i, 1
  br i1 %.432.i, label %B330.if.i, label %_ZN6models6points17neighbour_kernels5_sortB3v31B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAExx10float64_2a8int32_2a8int32_2a8int32_2a10float64_2a8int32_2a8int32_2a8int32_2a10float64_2addd.exit

B166.if.i:                                        ; preds = %B126.i, %B294.i
  %.185.0237.in.i = phi i64 [ %.185.0237.i, %B294.i ], [ %found.3.4, %B126.i ]
  %.185.0237.i = add i64 %.185.0237.in.i, -1
  %.286.i438 = getelementptr i32, ptr %arg.bucket, i64 %.185.0237.i
  %.287.i = load i32, ptr %.286.i438, align 4, !noalias !9
  %.289.i = sext i32 %.287.i to i64
  %.290.i439 = icmp sgt i64 %used.3.1.i, %.289.i
  br i1 %.290.i439, label %B194.i, label %B294.i

B330.if.i:                                        ; preds = %B296.i, %B790.i
  %held.1.2.0244.i = phi i64 [ %held.1.3.1.i, %B790.i ], [ 0, %B296.i ]
  %.376.0243.i = phi i64 [ %.445.i, %B790.i ], [ 0, %B296.i ]
  %.379.0242.i = phi i64 [ %.441.i, %B790.i ], [ %total.3.1.i, %B296.i ]
  %.441.i = add nsw i64 %.379.0242.i, -1
  %.445.i = add nuw nsw i64 %.376.0243.i, 1
  %.471.i = getelementptr double, ptr %arg.kept, i64 %.376.0243.i
  %.472.i = load double, ptr %.471.i, align 8, !noalias !9
  %.474.i = getelementptr i32, ptr %arg.points, i64 %.376.0243.i
  %.475.i = load i32, ptr %.474.i, align 4, !noalias !9
  %.495.i = icmp sgt i64 %held.1.2.0244.i, 0
  br i1 %.495.i, label %B390.preheader.i, label %B614.i

B390.preheader.i:                                 ; preds = %B330.if.i
  %.556.i = sext i32 %.475.i to i64
  %.557.i = getelementptr i32, ptr %arg.place, i64 %.556.i
  br label %B390.i

B704.if.i:                                        ; preds = %B626.i, %B704.if.i
  %.797.0240.i = phi i64 [ %.859.i, %B704.if.i ], [ %storemerge229.i, %B626.i ]
  %.794.0239.i = phi i64 [ %.863.i, %B704.if.i ], [ %.769.i, %B626.i ]
  %.859.i = add nsw i64 %.797.0240.i, -1
  %.863.i = add i64 %.794.0239.i, -1
  %.890.i = getelementptr double, ptr %arg.kept, i64 %.863.i
  %.891.i = load double, ptr %.890.i, align 8, !noalias !9
  %.894.i = getelementptr i32, ptr %arg.points, i64 %.863.i
  %.895.i = load i32, ptr %.894.i, align 4, !noalias !9
  %.897.i = getelementptr double, ptr %arg.kept, i64 %.794.0239.i
  store double %.891.i, ptr %.897.i, align 8, !noalias !9
  %.900.i = getelementptr i32, ptr %arg.points, i64 %.794.0239.i
  store i32 %.895.i, ptr %.900.i, align 4, !noalias !9
  %.850.i = icmp sgt i64 %.797.0240.i, 1
  br i1 %.850.i, label %B704.if.i, label %B768.i

_ZN6models6points17neighbour_kernels5_sortB3v31B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAExx10float64_2a8int32_2a8int32_2a8int32_2a10float64_2a8int32_2a8int32_2a8int32_2a10float64_2addd.exit: ; preds = %B790.i, %B296.i
  %held.1.2.0.lcssa.i = phi i64 [ 0, %B296.i ], [ %held.1.3.1.i, %B790.i ]
  %.1542469.not = icmp slt i64 %held.1.2.0.lcssa.i, 1
  br i1 %.1542469.not, label %B1444, label %B1370.if.lr.ph

B1370.if.lr.ph:                                   ; preds = %_ZN6models6points17neighbour_kernels5_sortB3v31B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAExx10float64_2a8int32_2a8int32_2a8int32_2a10float64_2a8int32_2a8int32_2a8int32_2a10float64_2addd.exit
  %12 = shl nuw i64 %held.1.2.0.lcssa.i, 3
  tail call void @llvm.memcpy.p0.p0.i64(ptr align 8 %scevgep, ptr align 8 %arg.kept, i64 %12, i1 false)
  %13 = shl nuw i64 %held.1.2.0.lcssa.i, 2
  tail call void @llvm.memcpy.p0.p0.i64(ptr align 4 %scevgep491, ptr align 4 %arg.points, i64 %13, i1 false)
  br label %B1444

B1086:                                            ; preds = %B1028
  %.11.i = tail call i64 @llvm.smax.i64(i64 %.1263, i64 1)
  %.1316 = uitofp nneg i64 %.11.i to double
  %.1320 = fdiv double %.1284, %.1316
  %.1321 = tail call double @llvm.sqrt.f64(double %.1320)
  %.10.i = fcmp ogt double %.1321, 1.100000e+00
  %.11.i445 = select i1 %.10.i, double %.1321, double 1.100000e+00
  %.10.i446 = fcmp olt double %.11.i445, 2.000000e+00
  %.11.i447 = select i1 %.10.i446, double %.11.i445, double 2.000000e+00
  %.1379 = fmul double %reach.3.2, %.11.i447
  %.10.i448 = fcmp olt double %.1379, %arg.radius
  %.11.i449 = select i1 %.10.i448, double %.1379, double %arg.radius
  br label %B248

B1444:                                            ; preds = %B1370.if.lr.ph, %_ZN6models6points17neighbour_kernels5_sortB3v31B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAExx10float64_2a8int32_2a8int32_2a8int32_2a10float64_2a8int32_2a8int32_2a8int32_2a10float64_2addd.exit
  %.1611 = icmp eq i64 %held.1.2.0.lcssa.i, %arg.most
  br i1 %.1611, label %B1456, label %B1532

B1456:                                            ; preds = %B1444
  %.1619 = load double, ptr %.1618, align 8
  %.1620 = tail call double @llvm.sqrt.f64(double %.1619)
  %.1621 = fmul double %.1620, 1.100000e+00
  br label %B1532

B1532:                                            ; preds = %B1444, %B1456
  %"$phi1532.2.2.2" = phi double [ %.1621, %B1456 ], [ %arg.radius, %B1444 ]
  %.10.i450 = fcmp ogt double %.1634, %"$phi1532.2.2.2"
  %.11.i451 = select i1 %.10.i450, double %.1634, double %"$phi1532.2.2.2"
  %.10.i452 = fcmp olt double %arg.radius, %.11.i451
  %.11.i453 = select i1 %.10.i452, double %arg.radius, double %.11.i451
  %.425 = icmp sgt i32 %.371.0473, 1
  br i1 %.425, label %B194.if, label %B38.loopexit

B1618:                                            ; preds = %B38.loopexit, %entry
  store ptr null, ptr %retptr, align 8
  ret i32 0

B74.if:                                           ; preds = %B74.preheader, %B74.if
  %.219.0460 = phi i64 [ %.288, %B74.if ], [ 0, %B74.preheader ]
  %.222.0459 = phi i64 [ %.284, %B74.if ], [ %storemerge, %B74.preheader ]
  %.284 = add nsw i64 %.222.0459, -1
  %.288 = add nuw nsw i64 %.219.0460, 1
  %.314 = getelementptr i32, ptr %arg.starts, i64 %.219.0460
  %.315 = load i32, ptr %.314, align 4
  %.318.idx = shl i64 %.219.0460, 3
  %.318 = getelementptr i8, ptr %arg.window, i64 %.318.idx
  store i32 %.315, ptr %.318, align 4
  %.323 = getelementptr i8, ptr %.318, i64 4
  store i32 %.315, ptr %.323, align 4
  %.275 = icmp sgt i64 %.222.0459, 1
  br i1 %.275, label %B74.if, label %B130

B194.if:                                          ; preds = %B194.if.lr.ph, %B1532
  %reach.4.1475 = phi double [ %reach.5.0480, %B194.if.lr.ph ], [ %.11.i453, %B1532 ]
  %.368.0474 = phi i32 [ %.339, %B194.if.lr.ph ], [ %.438, %B1532 ]
  %.371.0473 = phi i32 [ %.381, %B194.if.lr.ph ], [ %.434, %B1532 ]
  %14 = sext i32 %.368.0474 to i64
  %15 = mul i64 %2, %14
  %scevgep491 = getelementptr i8, ptr %arg.index, i64 %15
  %16 = sext i32 %.368.0474 to i64
  %17 = mul i64 %1, %16
  %scevgep = getelementptr i8, ptr %arg.squares, i64 %17
  %.474 = sext i32 %.368.0474 to i64
  %.475 = getelementptr double, ptr %arg.xs, i64 %.474
  %.476 = load double, ptr %.475, align 8
  %.480 = getelementptr double, ptr %arg.ys, i64 %.474
  %.481 = load double, ptr %.480, align 8
  %.485 = getelementptr double, ptr %arg.zs, i64 %.474
  %.486 = load double, ptr %.485, align 8
  br label %B248

B586.if:                                          ; preds = %B586.if.lr.ph, %B586.if
  %.820.0465 = phi i64 [ %.830, %B586.if.lr.ph ], [ %.882, %B586.if ]
  %.817.0464 = phi i64 [ %first.6.1.i, %B586.if.lr.ph ], [ %.886, %B586.if ]
  %.882 = add nsw i64 %.820.0465, -1
  %.886 = add nsw i64 %.817.0464, 1
  %.916 = getelementptr double, ptr %arg.xs, i64 %.817.0464
  %.917 = load double, ptr %.916, align 8
  %.919 = fsub double %.476, %.917
  %.922 = getelementptr double, ptr %arg.ys, i64 %.817.0464
  %.923 = load double, ptr %.922, align 8
  %.925 = fsub double %.481, %.923
  %.928 = getelementptr double, ptr %arg.zs, i64 %.817.0464
  %.929 = load double, ptr %.928, align 8
  %.931 = fsub double %.486, %.929
  %.932 = fmul double %.919, %.919
  %.933 = fmul double %.925, %.925
  %.934 = fadd double %.932, %.933
  %.935 = fmul double %.931, %.931
  %.936 = fadd double %.934, %.935
  %.941 = add i64 %.939, %.817.0464
  %.943 = getelementptr double, ptr %arg.near, i64 %.941
  store double %.936, ptr %.943, align 8
  %.951 = fmul double %.950, %.936
  %.5.i = fptosi double %.951 to i64
  %.11.i454 = tail call i64 @llvm.smin.i64(i64 %.5.i, i64 63)
  %.1009 = fcmp olt double %.936, %.499
  %extract.t = trunc i64 %.11.i454 to i32
  %"$phi836.3.2.5.off0" = select i1 %.1009, i32 %extract.t, i32 64
  %.1031 = getelementptr i32, ptr %arg.bucket, i64 %.941
  store i32 %"$phi836.3.2.5.off0", ptr %.1031, align 4
  %.1042 = trunc i64 %.817.0464 to i32
  %.1043 = getelementptr i32, ptr %arg.who, i64 %.941
  store i32 %.1042, ptr %.1043, align 4
  %.873 = icmp sgt i64 %.820.0465, 1
  br i1 %.873, label %B586.if, label %B880

B978.if:                                          ; preds = %B948, %B978.if
  %.1148.0468 = phi i64 [ %.1210, %B978.if ], [ %found.3.4, %B948 ]
  %.1145.0467 = phi i64 [ %.1214, %B978.if ], [ 0, %B948 ]
  %.1210 = add nsw i64 %.1148.0468, -1
  %.1214 = add nuw nsw i64 %.1145.0467, 1
  %.1240 = getelementptr i32, ptr %arg.bucket, i64 %.1145.0467
  %.1241 = load i32, ptr %.1240, align 4
  %.1243 = sext i32 %.1241 to i64
  %.1244 = getelementptr i32, ptr %arg.fill, i64 %.1243
  %.1245 = load i32, ptr %.1244, align 4
  %.1247 = add i32 %.1245, 1
  store i32 %.1247, ptr %.1244, align 4
  %.1201 = icmp sgt i64 %.1148.0468, 1
  br i1 %.1201, label %B978.if, label %B1028
}

; Function Attrs: mustprogress nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.sqrt.f64(double) #1

; Function Attrs: nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare i64 @llvm.smax.i64(i64, i64) #2

; Function Attrs: nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare i64 @llvm.smin.i64(i64, i64) #2

; Function Attrs: nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare i32 @llvm.smax.i32(i32, i32) #2

; Function Attrs: nocallback nofree nounwind willreturn memory(argmem: write)
declare void @llvm.memset.p0.i64(ptr writeonly captures(none), i8, i64, i1 immarg) #3

; Function Attrs: nocallback nofree nounwind willreturn memory(argmem: readwrite)
declare void @llvm.memcpy.p0.p0.i64(ptr noalias writeonly captures(none), ptr noalias readonly captures(none), i64, i1 immarg) #4

attributes #0 = { nofree norecurse nosync nounwind memory(argmem: readwrite) }
attributes #1 = { mustprogress nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none) }
attributes #2 = { nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none) }
attributes #3 = { nocallback nofree nounwind willreturn memory(argmem: write) }
attributes #4 = { nocallback nofree nounwind willreturn memory(argmem: readwrite) }

!0 = !{!1}
!1 = distinct !{!1, !2, !"_ZN6models6points17neighbour_kernels11_swap_belowB3v23B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEx10float64_2a8int32_2aii23Literal_5bint_5d_280_29xd28Literal_5bbool_5d_28False_29: %retptr"}
!2 = distinct !{!2, !"_ZN6models6points17neighbour_kernels11_swap_belowB3v23B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEx10float64_2a8int32_2aii23Literal_5bint_5d_280_29xd28Literal_5bbool_5d_28False_29"}
!3 = !{!4}
!4 = distinct !{!4, !5, !"_ZN6models6points17neighbour_kernels11_swap_belowB3v24B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEx10float64_2a8int32_2aiixxd27Literal_5bbool_5d_28True_29: %retptr"}
!5 = distinct !{!5, !"_ZN6models6points17neighbour_kernels11_swap_belowB3v24B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEx10float64_2a8int32_2aiixxd27Literal_5bbool_5d_28True_29"}
!6 = !{!7}
!7 = distinct !{!7, !8, !"_ZN6models6points17neighbour_kernels6_slideB3v26B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8int32_2axii10float64_2add: %retptr"}
!8 = distinct !{!8, !"_ZN6models6points17neighbour_kernels6_slideB3v26B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8int32_2axii10float64_2add"}
!9 = !{!10}
!10 = distinct !{!10, !11, !"_ZN6models6points17neighbour_kernels5_sortB3v31B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAExx10float64_2a8int32_2a8int32_2a8int32_2a10float64_2a8int32_2a8int32_2a8int32_2a10float64_2addd: %retptr"}
!11 = distinct !{!11, !"_ZN6models6points17neighbour_kernels5_sortB3v31B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAExx10float64_2a8int32_2a8int32_2a8int32_2a10float64_2a8int32_2a8int32_2a8int32_2a10float64_2addd"}
!12 = !{!13, !10}
!13 = distinct !{!13, !14, !"_ZN6models6points17neighbour_kernels11_first_seenB3v33B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEii8int32_2a10float64_2addd: %retptr"}
!14 = distinct !{!14, !"_ZN6models6points17neighbour_kernels11_first_seenB3v33B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEii8int32_2a10float64_2addd"}
