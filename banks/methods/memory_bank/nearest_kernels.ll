; made by `make kernels` from nearest_kernels.py, sha256 bd4be6e0dc0023696bb6d94c099d9e66e37e8b04c029aa76b41301906bd49ff4
; kernel nearest nnnnnnnnFFNFFFFFFFFFFFN
; ModuleID = 'nearest_kernels'
source_filename = "<string>"

; Function Attrs: nofree norecurse nosync nounwind memory(argmem: readwrite)
define noundef i32 @nearest(ptr noalias writeonly captures(none) %retptr, ptr noalias readnone captures(none) %excinfo, i64 %arg.queries, i64 %arg.halves, i64 %arg.start, i64 %arg.width, i64 %arg.rows, i64 %arg.size, i64 %arg.first, i64 %arg.last, ptr noalias readonly captures(none) %arg.leading, ptr noalias readonly captures(none) %arg.trailing, ptr noalias readonly captures(none) %arg.half_of, ptr noalias readonly captures(none) %arg.bank, ptr noalias readonly captures(none) %arg.origin, ptr noalias captures(none) %arg.packed, ptr noalias captures(none) %arg.norms, ptr noalias captures(none) %arg.shared, ptr noalias captures(none) %arg.sums0, ptr noalias captures(none) %arg.sums1, ptr noalias captures(none) %arg.sums2, ptr noalias captures(none) %arg.sums3, ptr noalias captures(none) %arg.lanes, ptr noalias captures(none) %arg.least, ptr noalias writeonly captures(none) %arg.index) local_unnamed_addr #0 {
entry:
  %.71 = add nsw i64 %arg.start, 3
  %.112 = and i64 %.71, -4
  %.118 = sub nsw i64 %arg.width, %arg.start
  %.120 = add nsw i64 %.118, 3
  %.161 = and i64 %.120, -4
  %.201 = sub i64 %arg.last, %arg.first
  %.247644.not = icmp slt i64 %.201, 1
  br i1 %.247644.not, label %B1294, label %B160.if.lr.ph

B160.if.lr.ph:                                    ; preds = %entry
  %.291 = add nsw i64 %.161, %.112
  %.75.i = icmp slt i64 %arg.size, 1
  %0 = add nuw i64 %arg.size, 15
  %.98.i = lshr i64 %0, 4
  %.120397.not409.i = icmp eq i64 %.98.i, 0
  %.120397.not.i = select i1 %.75.i, i1 true, i1 %.120397.not409.i
  %storemerge379.i = tail call i64 @llvm.smax.i64(i64 %.291, i64 0)
  %.253394.not.i = icmp slt i64 %.291, 1
  %.305.i = sub i64 %arg.start, %.112
  %1 = shl i64 %arg.size, 2
  %storemerge376.i = select i1 %.75.i, i64 0, i64 %arg.size
  %.1185406.not.i = icmp slt i64 %.291, 1
  %2 = add nuw i64 %arg.halves, 3
  %.385 = lshr i64 %2, 2
  %.364.inv = icmp sgt i64 %arg.halves, 0
  %storemerge171 = select i1 %.364.inv, i64 %.385, i64 0
  %.406638.not = icmp eq i64 %storemerge171, 0
  %.95.i = lshr i64 %.120, 2
  %.72.inv.i = icmp slt i64 %.118, 1
  %invariant.gep.i = getelementptr float, ptr %arg.trailing, i64 %.161
  %.11791.not94.i = icmp eq i64 %.95.i, 0
  %.11791.not.i = select i1 %.72.inv.i, i1 true, i1 %.11791.not94.i
  %storemerge85.i = tail call i64 @llvm.smax.i64(i64 %arg.size, i64 0)
  %3 = add nuw i64 %arg.queries, 3
  %.779 = lshr i64 %3, 2
  %.758.inv = icmp sgt i64 %arg.queries, 0
  %storemerge173 = select i1 %.758.inv, i64 %.779, i64 0
  %.801641.not = icmp eq i64 %storemerge173, 0
  %.95.i306 = lshr i64 %.71, 2
  %.72.inv.i307 = icmp slt i64 %arg.start, 1
  %invariant.gep.i308 = getelementptr float, ptr %arg.leading, i64 %.112
  %.11791.not94.i309 = icmp eq i64 %.95.i306, 0
  %.11791.not.i310 = select i1 %.72.inv.i307, i1 true, i1 %.11791.not94.i309
  %storemerge85.i312 = tail call i64 @llvm.smax.i64(i64 %arg.size, i64 0)
  %.197.i = add i64 %arg.size, -32
  %.198.i = icmp slt i64 %.197.i, 1
  %.213.i = and i64 %arg.size, 31
  %.216.not.i = icmp ne i64 %.213.i, 0
  %.217161.i = lshr i64 %.197.i, 5
  %.218.i = zext i1 %.216.not.i to i64
  %.219.i = add nuw nsw i64 %.217161.i, %.218.i
  %.213.i433 = and i64 %arg.size, 31
  %.216.not.i434 = icmp ne i64 %.213.i433, 0
  %.217161.i435 = lshr i64 %.197.i, 5
  %.218.i436 = zext i1 %.216.not.i434 to i64
  %.219.i437 = add nuw nsw i64 %.217161.i435, %.218.i436
  %.213.i504 = and i64 %arg.size, 31
  %.216.not.i505 = icmp ne i64 %.213.i504, 0
  %.217161.i506 = lshr i64 %.197.i, 5
  %.218.i507 = zext i1 %.216.not.i505 to i64
  %.219.i508 = add nuw nsw i64 %.217161.i506, %.218.i507
  %.213.i575 = and i64 %arg.size, 31
  %.216.not.i576 = icmp ne i64 %.213.i575, 0
  %.217161.i577 = lshr i64 %.197.i, 5
  %.218.i578 = zext i1 %.216.not.i576 to i64
  %.219.i579 = add nuw nsw i64 %.217161.i577, %.218.i578
  %4 = shl i64 %arg.size, 4
  %5 = shl i64 %arg.size, 4
  %6 = shl i64 %arg.size, 3
  %7 = shl i64 %arg.size, 4
  %8 = mul i64 %arg.size, 12
  %9 = shl i64 %arg.size, 4
  %10 = getelementptr i8, ptr %arg.shared, i64 %8
  %11 = getelementptr i8, ptr %arg.shared, i64 %6
  %12 = getelementptr i8, ptr %arg.shared, i64 %1
  %.240166.i.not654 = icmp eq i64 %.219.i, 0
  %.240166.i.not = select i1 %.198.i, i1 true, i1 %.240166.i.not654
  %.240166.i440.not655 = icmp eq i64 %.219.i437, 0
  %.240166.i440.not = select i1 %.198.i, i1 true, i1 %.240166.i440.not655
  %.240166.i511.not656 = icmp eq i64 %.219.i508, 0
  %.240166.i511.not = select i1 %.198.i, i1 true, i1 %.240166.i511.not656
  %.240166.i582.not657 = icmp eq i64 %.219.i579, 0
  %.240166.i582.not = select i1 %.198.i, i1 true, i1 %.240166.i582.not657
  br label %B160.if

B158.loopexit:                                    ; preds = %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit632, %B670
  %.247 = icmp sgt i64 %.191.0645, 1
  br i1 %.247, label %B160.if, label %B1294

B670:                                             ; preds = %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v38B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2ax.exit258, %_ZN5banks7methods11memory_bank15nearest_kernels5_packB3v35B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAExxxxxxx10float32_2a10float32_2a10float32_2a10float32_2a.exit
  br i1 %.801641.not, label %B158.loopexit, label %B716.if.lr.ph

B716.if.lr.ph:                                    ; preds = %B670
  %.1015 = mul nsw i64 %.188.0646, %arg.size
  br label %B716.if

B1294:                                            ; preds = %B158.loopexit, %entry
  store ptr null, ptr %retptr, align 8
  ret i32 0

B160.if:                                          ; preds = %B160.if.lr.ph, %B158.loopexit
  %.188.0646 = phi i64 [ %arg.first, %B160.if.lr.ph ], [ %.260, %B158.loopexit ]
  %.191.0645 = phi i64 [ %.201, %B160.if.lr.ph ], [ %.256, %B158.loopexit ]
  %.256 = add nsw i64 %.191.0645, -1
  %.260 = add i64 %.188.0646, 1
  br i1 %.120397.not.i, label %B674.i, label %B50.if.lr.ph.i

B50.if.lr.ph.i:                                   ; preds = %B160.if
  %.163.i = mul nsw i64 %.188.0646, %arg.size
  br label %B50.if.i

B48.loopexit.i:                                   ; preds = %B1043.i, %B50.if.i
  %.120.i = icmp sgt i64 %.64.0399.i, 1
  %indvar.next.i = add nuw nsw i64 %indvar.i, 1
  br i1 %.120.i, label %B50.if.i, label %B674.i

B346.i:                                           ; preds = %B126.if.i
  br i1 %.168.not.i, label %B496.preheader.i, label %B390.preheader.i

B390.preheader.i:                                 ; preds = %B346.i
  %13 = getelementptr float, ptr %arg.bank, i64 %.355.i
  %.623.i = getelementptr float, ptr %arg.origin, i64 %"$phi160.2.2.2.i"
  %14 = getelementptr float, ptr %arg.packed, i64 %.343.i
  %.624.i = load float, ptr %.623.i, align 4, !noalias !0
  br label %B390.if.i

B496.preheader.i:                                 ; preds = %B346.i
  tail call void @llvm.memset.p0.i64(ptr noundef nonnull align 4 dereferenceable(64) %scevgep.i, i8 0, i64 64, i1 false), !noalias !0
  br i1 %.857389.not.i, label %B1043.i, label %B602.if.lr.ph.i

B602.if.lr.ph.i:                                  ; preds = %B496.preheader.i
  %15 = getelementptr float, ptr %arg.bank, i64 %.355.i
  %.904.i = getelementptr float, ptr %arg.origin, i64 %"$phi160.2.2.2.i"
  %16 = getelementptr float, ptr %arg.packed, i64 %.343.i
  %.905.i = load float, ptr %.904.i, align 4, !noalias !0
  br label %B602.if.i

B674.i:                                           ; preds = %B48.loopexit.i, %B160.if
  br i1 %.75.i, label %B840.i, label %B704.if.lr.ph.i

B704.if.lr.ph.i:                                  ; preds = %B674.i
  %.1070.i = mul nsw i64 %.188.0646, %arg.size
  br label %B704.if.i

B840.i:                                           ; preds = %B704.if.i, %B674.i
  br i1 %.1185406.not.i, label %_ZN5banks7methods11memory_bank15nearest_kernels5_packB3v35B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAExxxxxxx10float32_2a10float32_2a10float32_2a10float32_2a.exit, label %B870.if.i

B870.loopexit.i:                                  ; preds = %B904.if.i, %B870.if.i
  %.1185.i = icmp sgt i64 %.1132.0408.i, 1
  br i1 %.1185.i, label %B870.if.i, label %_ZN5banks7methods11memory_bank15nearest_kernels5_packB3v35B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAExxxxxxx10float32_2a10float32_2a10float32_2a10float32_2a.exit

B1043.i:                                          ; preds = %B390.if.i, %B602.if.i, %B286.preheader.i, %B496.preheader.i
  %.253.i = icmp sgt i64 %.199.0396.i, 1
  br i1 %.253.i, label %B126.if.i, label %B48.loopexit.i

B50.if.i:                                         ; preds = %B48.loopexit.i, %B50.if.lr.ph.i
  %indvar.i = phi i64 [ 0, %B50.if.lr.ph.i ], [ %indvar.next.i, %B48.loopexit.i ]
  %.64.0399.i = phi i64 [ %.98.i, %B50.if.lr.ph.i ], [ %.129.i, %B48.loopexit.i ]
  %.61.0398.i = phi i64 [ 0, %B50.if.lr.ph.i ], [ %.133.i, %B48.loopexit.i ]
  %.129.i = add nsw i64 %.64.0399.i, -1
  %.133.i = add nuw i64 %.61.0398.i, 16
  %.165.i = add i64 %.61.0398.i, %.163.i
  %.166.i = add nsw i64 %.165.i, 16
  %.168.not.i = icmp sgt i64 %.166.i, %arg.rows
  br i1 %.253394.not.i, label %B48.loopexit.i, label %B126.if.lr.ph.i

B126.if.lr.ph.i:                                  ; preds = %B50.if.i
  %17 = shl i64 %indvar.i, 6
  %.353.i = mul nsw i64 %.165.i, %arg.width
  %.777.i = sub i64 %arg.rows, %.165.i
  %storemerge380.i = tail call i64 @llvm.smax.i64(i64 %.777.i, i64 0)
  %.857389.not.i = icmp slt i64 %.777.i, 1
  %18 = getelementptr i8, ptr %arg.packed, i64 %17
  br label %B126.if.i

B126.if.i:                                        ; preds = %B126.if.lr.ph.i, %B1043.i
  %.199.0396.i = phi i64 [ %storemerge379.i, %B126.if.lr.ph.i ], [ %.262.i, %B1043.i ]
  %.196.0395.i = phi i64 [ 0, %B126.if.lr.ph.i ], [ %.266.i, %B1043.i ]
  %19 = mul i64 %1, %.196.0395.i
  %scevgep.i = getelementptr i8, ptr %18, i64 %19
  %.262.i = add nsw i64 %.199.0396.i, -1
  %.266.i = add nuw nsw i64 %.196.0395.i, 1
  %.296.i = icmp slt i64 %.196.0395.i, %.112
  %.307.i = select i1 %.296.i, i64 0, i64 %.305.i
  %"$phi160.2.2.2.i" = add i64 %.307.i, %.196.0395.i
  %.323.not.i = icmp sge i64 %.196.0395.i, %arg.start
  %or.cond.not.i = select i1 %.296.i, i1 %.323.not.i, i1 false
  %.330.i = icmp sge i64 %"$phi160.2.2.2.i", %arg.width
  %spec.select.i = select i1 %or.cond.not.i, i1 true, i1 %.330.i
  %.339.i = mul nuw nsw i64 %.196.0395.i, %arg.size
  %.343.i = add nsw i64 %.339.i, %.61.0398.i
  %.355.i = add nsw i64 %"$phi160.2.2.2.i", %.353.i
  br i1 %spec.select.i, label %B286.preheader.i, label %B346.i

B286.preheader.i:                                 ; preds = %B126.if.i
  tail call void @llvm.memset.p0.i64(ptr noundef nonnull align 4 dereferenceable(64) %scevgep.i, i8 0, i64 64, i1 false), !noalias !0
  br label %B1043.i

B390.if.i:                                        ; preds = %B390.if.i, %B390.preheader.i
  %.523.0386.i = phi i64 [ 16, %B390.preheader.i ], [ %.585.i, %B390.if.i ]
  %.520.0385.i = phi i64 [ 0, %B390.preheader.i ], [ %.589.i, %B390.if.i ]
  %.585.i = add nsw i64 %.523.0386.i, -1
  %.589.i = add nuw nsw i64 %.520.0385.i, 1
  %.615.i = mul nsw i64 %.520.0385.i, %arg.width
  %.619.i = getelementptr float, ptr %13, i64 %.615.i
  %.620.i = load float, ptr %.619.i, align 4, !noalias !0
  %.625.i = fsub contract float %.620.i, %.624.i
  %.629.i = getelementptr float, ptr %14, i64 %.520.0385.i
  store float %.625.i, ptr %.629.i, align 4, !noalias !0
  %.576.i = icmp samesign ugt i64 %.523.0386.i, 1
  br i1 %.576.i, label %B390.if.i, label %B1043.i

B602.if.i:                                        ; preds = %B602.if.i, %B602.if.lr.ph.i
  %.804.0391.i = phi i64 [ %storemerge380.i, %B602.if.lr.ph.i ], [ %.866.i, %B602.if.i ]
  %.801.0390.i = phi i64 [ 0, %B602.if.lr.ph.i ], [ %.870.i, %B602.if.i ]
  %.866.i = add nsw i64 %.804.0391.i, -1
  %.870.i = add nuw nsw i64 %.801.0390.i, 1
  %.896.i = mul nsw i64 %.801.0390.i, %arg.width
  %.900.i = getelementptr float, ptr %15, i64 %.896.i
  %.901.i = load float, ptr %.900.i, align 4, !noalias !0
  %.906.i = fsub contract float %.901.i, %.905.i
  %.910.i = getelementptr float, ptr %16, i64 %.801.0390.i
  store float %.906.i, ptr %.910.i, align 4, !noalias !0
  %.857.i = icmp sgt i64 %.804.0391.i, 1
  br i1 %.857.i, label %B602.if.i, label %B1043.i

B704.if.i:                                        ; preds = %B704.if.i, %B704.if.lr.ph.i
  %.974.0402.i = phi i64 [ %storemerge376.i, %B704.if.lr.ph.i ], [ %.1036.i, %B704.if.i ]
  %.971.0401.i = phi i64 [ 0, %B704.if.lr.ph.i ], [ %.1040.i, %B704.if.i ]
  %.1036.i = add nsw i64 %.974.0402.i, -1
  %.1040.i = add nuw nsw i64 %.971.0401.i, 1
  %.1072.i = add nsw i64 %.971.0401.i, %.1070.i
  %.1074.i = icmp slt i64 %.1072.i, %arg.rows
  %..i = select i1 %.1074.i, float 0.000000e+00, float 0x7FF0000000000000
  %.1088.i = getelementptr float, ptr %arg.norms, i64 %.971.0401.i
  store float %..i, ptr %.1088.i, align 4, !noalias !0
  %.1027.i = icmp sgt i64 %.974.0402.i, 1
  br i1 %.1027.i, label %B704.if.i, label %B840.i

B870.if.i:                                        ; preds = %B840.i, %B870.loopexit.i
  %.1132.0408.i = phi i64 [ %.1194.i, %B870.loopexit.i ], [ %.291, %B840.i ]
  %.1129.0407.i = phi i64 [ %.1198.i, %B870.loopexit.i ], [ 0, %B840.i ]
  %.1194.i = add nsw i64 %.1132.0408.i, -1
  %.1198.i = add nuw nsw i64 %.1129.0407.i, 1
  br i1 %.75.i, label %B870.loopexit.i, label %B904.if.lr.ph.i

B904.if.lr.ph.i:                                  ; preds = %B870.if.i
  %20 = mul nuw nsw i64 %.1129.0407.i, %arg.size
  %21 = getelementptr float, ptr %arg.packed, i64 %20
  br label %B904.if.i

B904.if.i:                                        ; preds = %B904.if.i, %B904.if.lr.ph.i
  %.1253.0405.i = phi i64 [ %storemerge376.i, %B904.if.lr.ph.i ], [ %.1315.i, %B904.if.i ]
  %.1250.0404.i = phi i64 [ 0, %B904.if.lr.ph.i ], [ %.1319.i, %B904.if.i ]
  %.1315.i = add nsw i64 %.1253.0405.i, -1
  %.1319.i = add nuw nsw i64 %.1250.0404.i, 1
  %.1349.i = getelementptr float, ptr %21, i64 %.1250.0404.i
  %.1350.i = load float, ptr %.1349.i, align 4, !noalias !0
  %.1352.i = getelementptr float, ptr %arg.norms, i64 %.1250.0404.i
  %.1353.i = load float, ptr %.1352.i, align 4, !noalias !0
  %.1354.i = fmul contract float %.1350.i, %.1350.i
  %.1355.i = fadd contract float %.1353.i, %.1354.i
  store float %.1355.i, ptr %.1352.i, align 4, !noalias !0
  %.1360.i = fmul contract float %.1350.i, -2.000000e+00
  store float %.1360.i, ptr %.1349.i, align 4, !noalias !0
  %.1306.i = icmp sgt i64 %.1253.0405.i, 1
  br i1 %.1306.i, label %B904.if.i, label %B870.loopexit.i

_ZN5banks7methods11memory_bank15nearest_kernels5_packB3v35B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAExxxxxxx10float32_2a10float32_2a10float32_2a10float32_2a.exit: ; preds = %B870.loopexit.i, %B840.i
  br i1 %.406638.not, label %B670, label %B264.if

B264.if:                                          ; preds = %_ZN5banks7methods11memory_bank15nearest_kernels5_packB3v35B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAExxxxxxx10float32_2a10float32_2a10float32_2a10float32_2a.exit, %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v38B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2ax.exit258
  %indvar = phi i64 [ %indvar.next, %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v38B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2ax.exit258 ], [ 0, %_ZN5banks7methods11memory_bank15nearest_kernels5_packB3v35B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAExxxxxxx10float32_2a10float32_2a10float32_2a10float32_2a.exit ]
  %.350.0640 = phi i64 [ %.419, %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v38B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2ax.exit258 ], [ 0, %_ZN5banks7methods11memory_bank15nearest_kernels5_packB3v35B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAExxxxxxx10float32_2a10float32_2a10float32_2a10float32_2a.exit ]
  %.353.0639 = phi i64 [ %.415, %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v38B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2ax.exit258 ], [ %storemerge171, %_ZN5banks7methods11memory_bank15nearest_kernels5_packB3v35B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAExxxxxxx10float32_2a10float32_2a10float32_2a10float32_2a.exit ]
  %22 = mul i64 %9, %indvar
  %scevgep653 = getelementptr i8, ptr %10, i64 %22
  %23 = mul i64 %7, %indvar
  %scevgep652 = getelementptr i8, ptr %11, i64 %23
  %24 = mul i64 %5, %indvar
  %scevgep651 = getelementptr i8, ptr %12, i64 %24
  %25 = mul i64 %4, %indvar
  %scevgep = getelementptr i8, ptr %arg.shared, i64 %25
  %.415 = add nsw i64 %.353.0639, -1
  %.419 = add nuw i64 %.350.0640, 4
  br i1 %.75.i, label %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v36B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2a23Literal_5bint_5d_280_29.exit207, label %B34.if.i.preheader

B34.if.i.preheader:                               ; preds = %B264.if
  tail call void @llvm.memcpy.p0.p0.i64(ptr align 4 %arg.sums0, ptr align 4 %arg.norms, i64 %1, i1 false), !noalias !3
  tail call void @llvm.memcpy.p0.p0.i64(ptr align 4 %arg.sums1, ptr align 4 %arg.norms, i64 %1, i1 false), !noalias !6
  tail call void @llvm.memcpy.p0.p0.i64(ptr align 4 %arg.sums2, ptr align 4 %arg.norms, i64 %1, i1 false), !noalias !9
  tail call void @llvm.memcpy.p0.p0.i64(ptr align 4 %arg.sums3, ptr align 4 %arg.norms, i64 %1, i1 false), !noalias !12
  br label %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v36B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2a23Literal_5bint_5d_280_29.exit207

_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v36B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2a23Literal_5bint_5d_280_29.exit207: ; preds = %B34.if.i.preheader, %B264.if
  %.558 = mul nsw i64 %.350.0640, %.161
  br i1 %.11791.not.i, label %_ZN5banks7methods11memory_bank15nearest_kernels9_multiplyB3v37B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAExxx10float32_2ax10float32_2a10float32_2a10float32_2a10float32_2a10float32_2a.exit, label %B50.if.i209

B48.loopexit.i212:                                ; preds = %B492.if.i, %B50.if.i209
  %.117.i = icmp sgt i64 %.61.093.i, 1
  br i1 %.117.i, label %B50.if.i209, label %_ZN5banks7methods11memory_bank15nearest_kernels9_multiplyB3v37B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAExxx10float32_2ax10float32_2a10float32_2a10float32_2a10float32_2a10float32_2a.exit

B50.if.i209:                                      ; preds = %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v36B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2a23Literal_5bint_5d_280_29.exit207, %B48.loopexit.i212
  %.61.093.i = phi i64 [ %.126.i, %B48.loopexit.i212 ], [ %.95.i, %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v36B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2a23Literal_5bint_5d_280_29.exit207 ]
  %.58.092.i = phi i64 [ %.130.i, %B48.loopexit.i212 ], [ 0, %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v36B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2a23Literal_5bint_5d_280_29.exit207 ]
  %.126.i = add nsw i64 %.61.093.i, -1
  %.130.i = add nuw i64 %.58.092.i, 4
  %.156.i = add nsw i64 %.58.092.i, %.558
  %.158.i = getelementptr float, ptr %arg.trailing, i64 %.156.i
  %.159.i = load float, ptr %.158.i, align 4, !noalias !15
  %.162.i = getelementptr i8, ptr %.158.i, i64 4
  %.163.i210 = load float, ptr %.162.i, align 4, !noalias !15
  %.166.i211 = getelementptr i8, ptr %.158.i, i64 8
  %.167.i = load float, ptr %.166.i211, align 4, !noalias !15
  %.170.i = getelementptr i8, ptr %.158.i, i64 12
  %.171.i = load float, ptr %.170.i, align 4, !noalias !15
  %.193.i = add nsw i64 %.156.i, %.161
  %.195.i = getelementptr float, ptr %arg.trailing, i64 %.193.i
  %.196.i = load float, ptr %.195.i, align 4, !noalias !15
  %.199.i = getelementptr i8, ptr %.195.i, i64 4
  %.200.i = load float, ptr %.199.i, align 4, !noalias !15
  %.203.i = getelementptr i8, ptr %.195.i, i64 8
  %.204.i = load float, ptr %.203.i, align 4, !noalias !15
  %.207.i = getelementptr i8, ptr %.195.i, i64 12
  %.208.i = load float, ptr %.207.i, align 4, !noalias !15
  %.230.i = add nsw i64 %.193.i, %.161
  %.232.i = getelementptr float, ptr %arg.trailing, i64 %.230.i
  %.233.i = load float, ptr %.232.i, align 4, !noalias !15
  %.236.i = getelementptr i8, ptr %.232.i, i64 4
  %.237.i = load float, ptr %.236.i, align 4, !noalias !15
  %.240.i = getelementptr i8, ptr %.232.i, i64 8
  %.241.i = load float, ptr %.240.i, align 4, !noalias !15
  %.244.i = getelementptr i8, ptr %.232.i, i64 12
  %.245.i = load float, ptr %.244.i, align 4, !noalias !15
  %gep.i = getelementptr float, ptr %invariant.gep.i, i64 %.230.i
  %.270.i = load float, ptr %gep.i, align 4, !noalias !15
  %.273.i = getelementptr i8, ptr %gep.i, i64 4
  %.274.i = load float, ptr %.273.i, align 4, !noalias !15
  %.277.i = getelementptr i8, ptr %gep.i, i64 8
  %.278.i = load float, ptr %.277.i, align 4, !noalias !15
  %.281.i = getelementptr i8, ptr %gep.i, i64 12
  %.282.i = load float, ptr %.281.i, align 4, !noalias !15
  br i1 %.75.i, label %B48.loopexit.i212, label %B492.if.lr.ph.i

B492.if.lr.ph.i:                                  ; preds = %B50.if.i209
  %.304.i = add nsw i64 %.58.092.i, %.112
  %.306.i = mul nsw i64 %.304.i, %arg.size
  %26 = getelementptr float, ptr %arg.packed, i64 %.306.i
  %27 = getelementptr float, ptr %26, i64 %arg.size
  %.30686.i = or disjoint i64 %.304.i, 2
  %.443.i = mul i64 %.30686.i, %arg.size
  %28 = getelementptr float, ptr %arg.packed, i64 %.443.i
  %.30687.i = or disjoint i64 %.304.i, 3
  %.451.i = mul i64 %.30687.i, %arg.size
  %29 = getelementptr float, ptr %arg.packed, i64 %.451.i
  br label %B492.if.i

B492.if.i:                                        ; preds = %B492.if.i, %B492.if.lr.ph.i
  %.337.090.i = phi i64 [ %storemerge85.i, %B492.if.lr.ph.i ], [ %.399.i, %B492.if.i ]
  %.334.089.i = phi i64 [ 0, %B492.if.lr.ph.i ], [ %.403.i, %B492.if.i ]
  %.399.i = add nsw i64 %.337.090.i, -1
  %.403.i = add nuw nsw i64 %.334.089.i, 1
  %.431.i = getelementptr float, ptr %26, i64 %.334.089.i
  %.432.i = load float, ptr %.431.i, align 4, !noalias !15
  %.438.i = getelementptr float, ptr %27, i64 %.334.089.i
  %.439.i = load float, ptr %.438.i, align 4, !noalias !15
  %.446.i = getelementptr float, ptr %28, i64 %.334.089.i
  %.447.i = load float, ptr %.446.i, align 4, !noalias !15
  %.454.i = getelementptr float, ptr %29, i64 %.334.089.i
  %.455.i = load float, ptr %.454.i, align 4, !noalias !15
  %.457.i = getelementptr float, ptr %arg.sums0, i64 %.334.089.i
  %.458.i = load float, ptr %.457.i, align 4, !noalias !15
  %.460.i = fmul contract float %.159.i, %.432.i
  %.462.i = fmul contract float %.163.i210, %.439.i
  %.463.i = fadd contract float %.460.i, %.462.i
  %.465.i = fmul contract float %.167.i, %.447.i
  %.466.i = fadd contract float %.463.i, %.465.i
  %.468.i = fmul contract float %.171.i, %.455.i
  %.469.i = fadd contract float %.466.i, %.468.i
  %.470.i = fadd contract float %.458.i, %.469.i
  store float %.470.i, ptr %.457.i, align 4, !noalias !15
  %.475.i = getelementptr float, ptr %arg.sums1, i64 %.334.089.i
  %.476.i = load float, ptr %.475.i, align 4, !noalias !15
  %.478.i = fmul contract float %.196.i, %.432.i
  %.480.i = fmul contract float %.200.i, %.439.i
  %.481.i = fadd contract float %.478.i, %.480.i
  %.483.i = fmul contract float %.204.i, %.447.i
  %.484.i = fadd contract float %.481.i, %.483.i
  %.486.i = fmul contract float %.208.i, %.455.i
  %.487.i = fadd contract float %.484.i, %.486.i
  %.488.i = fadd contract float %.487.i, %.476.i
  store float %.488.i, ptr %.475.i, align 4, !noalias !15
  %.493.i = getelementptr float, ptr %arg.sums2, i64 %.334.089.i
  %.494.i = load float, ptr %.493.i, align 4, !noalias !15
  %.496.i = fmul contract float %.233.i, %.432.i
  %.498.i = fmul contract float %.237.i, %.439.i
  %.499.i = fadd contract float %.496.i, %.498.i
  %.501.i = fmul contract float %.241.i, %.447.i
  %.502.i = fadd contract float %.499.i, %.501.i
  %.504.i = fmul contract float %.245.i, %.455.i
  %.505.i = fadd contract float %.502.i, %.504.i
  %.506.i = fadd contract float %.505.i, %.494.i
  store float %.506.i, ptr %.493.i, align 4, !noalias !15
  %.511.i = getelementptr float, ptr %arg.sums3, i64 %.334.089.i
  %.512.i = load float, ptr %.511.i, align 4, !noalias !15
  %.514.i = fmul contract float %.270.i, %.432.i
  %.516.i = fmul contract float %.274.i, %.439.i
  %.517.i = fadd contract float %.514.i, %.516.i
  %.519.i = fmul contract float %.278.i, %.447.i
  %.520.i = fadd contract float %.517.i, %.519.i
  %.522.i = fmul contract float %.282.i, %.455.i
  %.523.i = fadd contract float %.520.i, %.522.i
  %.524.i = fadd contract float %.523.i, %.512.i
  store float %.524.i, ptr %.511.i, align 4, !noalias !15
  %.390.i = icmp sgt i64 %.337.090.i, 1
  br i1 %.390.i, label %B492.if.i, label %B48.loopexit.i212

_ZN5banks7methods11memory_bank15nearest_kernels9_multiplyB3v37B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAExxx10float32_2ax10float32_2a10float32_2a10float32_2a10float32_2a10float32_2a.exit: ; preds = %B48.loopexit.i212, %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v36B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2a23Literal_5bint_5d_280_29.exit207
  br i1 %.75.i, label %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v38B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2ax.exit258, label %B34.if.lr.ph.i

B34.if.lr.ph.i:                                   ; preds = %_ZN5banks7methods11memory_bank15nearest_kernels9_multiplyB3v37B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAExxx10float32_2ax10float32_2a10float32_2a10float32_2a10float32_2a10float32_2a.exit
  tail call void @llvm.memcpy.p0.p0.i64(ptr align 4 %scevgep, ptr align 4 %arg.sums0, i64 %1, i1 false), !noalias !18
  tail call void @llvm.memcpy.p0.p0.i64(ptr align 4 %scevgep651, ptr align 4 %arg.sums1, i64 %1, i1 false), !noalias !21
  tail call void @llvm.memcpy.p0.p0.i64(ptr align 4 %scevgep652, ptr align 4 %arg.sums2, i64 %1, i1 false), !noalias !24
  tail call void @llvm.memcpy.p0.p0.i64(ptr align 4 %scevgep653, ptr align 4 %arg.sums3, i64 %1, i1 false), !noalias !27
  br label %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v38B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2ax.exit258

_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v38B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2ax.exit258: ; preds = %B34.if.lr.ph.i, %_ZN5banks7methods11memory_bank15nearest_kernels9_multiplyB3v37B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAExxx10float32_2ax10float32_2a10float32_2a10float32_2a10float32_2a10float32_2a.exit
  %.406 = icmp sgt i64 %.353.0639, 1
  %indvar.next = add nuw nsw i64 %indvar, 1
  br i1 %.406, label %B264.if, label %B670

B716.if:                                          ; preds = %B716.if.lr.ph, %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit632
  %.747.0643 = phi i64 [ %storemerge173, %B716.if.lr.ph ], [ %.810, %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit632 ]
  %.744.0642 = phi i64 [ 0, %B716.if.lr.ph ], [ %.814, %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit632 ]
  %.810 = add nsw i64 %.747.0643, -1
  %.814 = add nuw i64 %.744.0642, 4
  br i1 %.75.i, label %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit, label %B34.if.lr.ph.i260

B34.if.lr.ph.i260:                                ; preds = %B716.if
  %.841 = getelementptr i32, ptr %arg.half_of, i64 %.744.0642
  %.842 = load i32, ptr %.841, align 4
  %.844 = sext i32 %.842 to i64
  %.845 = mul nsw i64 %arg.size, %.844
  %30 = getelementptr float, ptr %arg.shared, i64 %.845
  tail call void @llvm.memcpy.p0.p0.i64(ptr align 4 %arg.sums0, ptr align 4 %30, i64 %1, i1 false), !noalias !30
  br label %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit

_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit: ; preds = %B34.if.lr.ph.i260, %B716.if
  %.874 = or disjoint i64 %.744.0642, 1
  br i1 %.75.i, label %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit281, label %B34.if.lr.ph.i271

B34.if.lr.ph.i271:                                ; preds = %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit
  %.876 = getelementptr i32, ptr %arg.half_of, i64 %.874
  %.877 = load i32, ptr %.876, align 4
  %.879 = sext i32 %.877 to i64
  %.880 = mul nsw i64 %arg.size, %.879
  %31 = getelementptr float, ptr %arg.shared, i64 %.880
  tail call void @llvm.memcpy.p0.p0.i64(ptr align 4 %arg.sums1, ptr align 4 %31, i64 %1, i1 false), !noalias !33
  br label %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit281

_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit281: ; preds = %B34.if.lr.ph.i271, %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit
  %.909 = or disjoint i64 %.744.0642, 2
  br i1 %.75.i, label %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit293, label %B34.if.lr.ph.i283

B34.if.lr.ph.i283:                                ; preds = %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit281
  %.911 = getelementptr i32, ptr %arg.half_of, i64 %.909
  %.912 = load i32, ptr %.911, align 4
  %.914 = sext i32 %.912 to i64
  %.915 = mul nsw i64 %arg.size, %.914
  %32 = getelementptr float, ptr %arg.shared, i64 %.915
  tail call void @llvm.memcpy.p0.p0.i64(ptr align 4 %arg.sums2, ptr align 4 %32, i64 %1, i1 false), !noalias !36
  br label %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit293

_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit293: ; preds = %B34.if.lr.ph.i283, %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit281
  %.944 = or disjoint i64 %.744.0642, 3
  br i1 %.75.i, label %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit305, label %B34.if.lr.ph.i295

B34.if.lr.ph.i295:                                ; preds = %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit293
  %.946 = getelementptr i32, ptr %arg.half_of, i64 %.944
  %.947 = load i32, ptr %.946, align 4
  %.949 = sext i32 %.947 to i64
  %.950 = mul nsw i64 %arg.size, %.949
  %33 = getelementptr float, ptr %arg.shared, i64 %.950
  tail call void @llvm.memcpy.p0.p0.i64(ptr align 4 %arg.sums3, ptr align 4 %33, i64 %1, i1 false), !noalias !39
  br label %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit305

_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit305: ; preds = %B34.if.lr.ph.i295, %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit293
  %.980 = mul nsw i64 %.744.0642, %.112
  br i1 %.11791.not.i310, label %_ZN5banks7methods11memory_bank15nearest_kernels9_multiplyB3v40B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx23Literal_5bint_5d_280_29x10float32_2ax10float32_2a10float32_2a10float32_2a10float32_2a10float32_2a.exit, label %B50.if.i314

B48.loopexit.i414:                                ; preds = %B492.if.i360, %B50.if.i314
  %.117.i415 = icmp sgt i64 %.61.093.i315, 1
  br i1 %.117.i415, label %B50.if.i314, label %_ZN5banks7methods11memory_bank15nearest_kernels9_multiplyB3v40B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx23Literal_5bint_5d_280_29x10float32_2ax10float32_2a10float32_2a10float32_2a10float32_2a10float32_2a.exit

B50.if.i314:                                      ; preds = %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit305, %B48.loopexit.i414
  %.61.093.i315 = phi i64 [ %.126.i317, %B48.loopexit.i414 ], [ %.95.i306, %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit305 ]
  %.58.092.i316 = phi i64 [ %.130.i318, %B48.loopexit.i414 ], [ 0, %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit305 ]
  %.126.i317 = add nsw i64 %.61.093.i315, -1
  %.130.i318 = add nuw i64 %.58.092.i316, 4
  %.156.i319 = add nsw i64 %.58.092.i316, %.980
  %.158.i320 = getelementptr float, ptr %arg.leading, i64 %.156.i319
  %.159.i321 = load float, ptr %.158.i320, align 4, !noalias !42
  %.162.i322 = getelementptr i8, ptr %.158.i320, i64 4
  %.163.i323 = load float, ptr %.162.i322, align 4, !noalias !42
  %.166.i324 = getelementptr i8, ptr %.158.i320, i64 8
  %.167.i325 = load float, ptr %.166.i324, align 4, !noalias !42
  %.170.i326 = getelementptr i8, ptr %.158.i320, i64 12
  %.171.i327 = load float, ptr %.170.i326, align 4, !noalias !42
  %.193.i328 = add nsw i64 %.156.i319, %.112
  %.195.i329 = getelementptr float, ptr %arg.leading, i64 %.193.i328
  %.196.i330 = load float, ptr %.195.i329, align 4, !noalias !42
  %.199.i331 = getelementptr i8, ptr %.195.i329, i64 4
  %.200.i332 = load float, ptr %.199.i331, align 4, !noalias !42
  %.203.i333 = getelementptr i8, ptr %.195.i329, i64 8
  %.204.i334 = load float, ptr %.203.i333, align 4, !noalias !42
  %.207.i335 = getelementptr i8, ptr %.195.i329, i64 12
  %.208.i336 = load float, ptr %.207.i335, align 4, !noalias !42
  %.230.i337 = add nsw i64 %.193.i328, %.112
  %.232.i338 = getelementptr float, ptr %arg.leading, i64 %.230.i337
  %.233.i339 = load float, ptr %.232.i338, align 4, !noalias !42
  %.236.i340 = getelementptr i8, ptr %.232.i338, i64 4
  %.237.i341 = load float, ptr %.236.i340, align 4, !noalias !42
  %.240.i342 = getelementptr i8, ptr %.232.i338, i64 8
  %.241.i343 = load float, ptr %.240.i342, align 4, !noalias !42
  %.244.i344 = getelementptr i8, ptr %.232.i338, i64 12
  %.245.i345 = load float, ptr %.244.i344, align 4, !noalias !42
  %gep.i346 = getelementptr float, ptr %invariant.gep.i308, i64 %.230.i337
  %.270.i347 = load float, ptr %gep.i346, align 4, !noalias !42
  %.273.i348 = getelementptr i8, ptr %gep.i346, i64 4
  %.274.i349 = load float, ptr %.273.i348, align 4, !noalias !42
  %.277.i350 = getelementptr i8, ptr %gep.i346, i64 8
  %.278.i351 = load float, ptr %.277.i350, align 4, !noalias !42
  %.281.i352 = getelementptr i8, ptr %gep.i346, i64 12
  %.282.i353 = load float, ptr %.281.i352, align 4, !noalias !42
  br i1 %.75.i, label %B48.loopexit.i414, label %B492.if.lr.ph.i354

B492.if.lr.ph.i354:                               ; preds = %B50.if.i314
  %.306.i355 = mul nsw i64 %.58.092.i316, %arg.size
  %34 = getelementptr float, ptr %arg.packed, i64 %.306.i355
  %35 = getelementptr float, ptr %34, i64 %arg.size
  %.30686.i356 = or disjoint i64 %.58.092.i316, 2
  %.443.i357 = mul i64 %.30686.i356, %arg.size
  %36 = getelementptr float, ptr %arg.packed, i64 %.443.i357
  %.30687.i358 = or disjoint i64 %.58.092.i316, 3
  %.451.i359 = mul i64 %.30687.i358, %arg.size
  %37 = getelementptr float, ptr %arg.packed, i64 %.451.i359
  br label %B492.if.i360

B492.if.i360:                                     ; preds = %B492.if.i360, %B492.if.lr.ph.i354
  %.337.090.i361 = phi i64 [ %storemerge85.i312, %B492.if.lr.ph.i354 ], [ %.399.i363, %B492.if.i360 ]
  %.334.089.i362 = phi i64 [ 0, %B492.if.lr.ph.i354 ], [ %.403.i364, %B492.if.i360 ]
  %.399.i363 = add nsw i64 %.337.090.i361, -1
  %.403.i364 = add nuw nsw i64 %.334.089.i362, 1
  %.431.i365 = getelementptr float, ptr %34, i64 %.334.089.i362
  %.432.i366 = load float, ptr %.431.i365, align 4, !noalias !42
  %.438.i367 = getelementptr float, ptr %35, i64 %.334.089.i362
  %.439.i368 = load float, ptr %.438.i367, align 4, !noalias !42
  %.446.i369 = getelementptr float, ptr %36, i64 %.334.089.i362
  %.447.i370 = load float, ptr %.446.i369, align 4, !noalias !42
  %.454.i371 = getelementptr float, ptr %37, i64 %.334.089.i362
  %.455.i372 = load float, ptr %.454.i371, align 4, !noalias !42
  %.457.i373 = getelementptr float, ptr %arg.sums0, i64 %.334.089.i362
  %.458.i374 = load float, ptr %.457.i373, align 4, !noalias !42
  %.460.i375 = fmul contract float %.159.i321, %.432.i366
  %.462.i376 = fmul contract float %.163.i323, %.439.i368
  %.463.i377 = fadd contract float %.460.i375, %.462.i376
  %.465.i378 = fmul contract float %.167.i325, %.447.i370
  %.466.i379 = fadd contract float %.463.i377, %.465.i378
  %.468.i380 = fmul contract float %.171.i327, %.455.i372
  %.469.i381 = fadd contract float %.466.i379, %.468.i380
  %.470.i382 = fadd contract float %.458.i374, %.469.i381
  store float %.470.i382, ptr %.457.i373, align 4, !noalias !42
  %.475.i383 = getelementptr float, ptr %arg.sums1, i64 %.334.089.i362
  %.476.i384 = load float, ptr %.475.i383, align 4, !noalias !42
  %.478.i385 = fmul contract float %.196.i330, %.432.i366
  %.480.i386 = fmul contract float %.200.i332, %.439.i368
  %.481.i387 = fadd contract float %.478.i385, %.480.i386
  %.483.i388 = fmul contract float %.204.i334, %.447.i370
  %.484.i389 = fadd contract float %.481.i387, %.483.i388
  %.486.i390 = fmul contract float %.208.i336, %.455.i372
  %.487.i391 = fadd contract float %.484.i389, %.486.i390
  %.488.i392 = fadd contract float %.487.i391, %.476.i384
  store float %.488.i392, ptr %.475.i383, align 4, !noalias !42
  %.493.i393 = getelementptr float, ptr %arg.sums2, i64 %.334.089.i362
  %.494.i394 = load float, ptr %.493.i393, align 4, !noalias !42
  %.496.i395 = fmul contract float %.233.i339, %.432.i366
  %.498.i396 = fmul contract float %.237.i341, %.439.i368
  %.499.i397 = fadd contract float %.496.i395, %.498.i396
  %.501.i398 = fmul contract float %.241.i343, %.447.i370
  %.502.i399 = fadd contract float %.499.i397, %.501.i398
  %.504.i400 = fmul contract float %.245.i345, %.455.i372
  %.505.i401 = fadd contract float %.502.i399, %.504.i400
  %.506.i402 = fadd contract float %.505.i401, %.494.i394
  store float %.506.i402, ptr %.493.i393, align 4, !noalias !42
  %.511.i403 = getelementptr float, ptr %arg.sums3, i64 %.334.089.i362
  %.512.i404 = load float, ptr %.511.i403, align 4, !noalias !42
  %.514.i405 = fmul contract float %.270.i347, %.432.i366
  %.516.i406 = fmul contract float %.274.i349, %.439.i368
  %.517.i407 = fadd contract float %.514.i405, %.516.i406
  %.519.i408 = fmul contract float %.278.i351, %.447.i370
  %.520.i409 = fadd contract float %.517.i407, %.519.i408
  %.522.i410 = fmul contract float %.282.i353, %.455.i372
  %.523.i411 = fadd contract float %.520.i409, %.522.i410
  %.524.i412 = fadd contract float %.523.i411, %.512.i404
  store float %.524.i412, ptr %.511.i403, align 4, !noalias !42
  %.390.i413 = icmp sgt i64 %.337.090.i361, 1
  br i1 %.390.i413, label %B492.if.i360, label %B48.loopexit.i414

_ZN5banks7methods11memory_bank15nearest_kernels9_multiplyB3v40B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx23Literal_5bint_5d_280_29x10float32_2ax10float32_2a10float32_2a10float32_2a10float32_2a10float32_2a.exit: ; preds = %B48.loopexit.i414, %_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29.exit305
  %.1018 = getelementptr float, ptr %arg.least, i64 %.744.0642
  %.1019 = load float, ptr %.1018, align 4
  tail call void @llvm.memcpy.p0.p0.i64(ptr noundef nonnull align 4 dereferenceable(128) %arg.lanes, ptr noundef nonnull align 4 dereferenceable(128) %arg.sums0, i64 128, i1 false), !noalias !45
  br i1 %.240166.i.not, label %B264.i, label %B126.if.i417

B126.loopexit.i:                                  ; preds = %B170.if.i
  %.249.i = add nsw i64 %.187.0168.i, -1
  %.253.i418 = add i64 %.184.0167.i, 32
  %.240.i419 = icmp sgt i64 %.187.0168.i, 1
  br i1 %.240.i419, label %B126.if.i417, label %B264.i

B264.i:                                           ; preds = %B126.loopexit.i, %_ZN5banks7methods11memory_bank15nearest_kernels9_multiplyB3v40B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx23Literal_5bint_5d_280_29x10float32_2ax10float32_2a10float32_2a10float32_2a10float32_2a10float32_2a.exit
  %.453.i = load float, ptr %arg.lanes, align 4, !noalias !45
  br label %B322.if.i

B372.i:                                           ; preds = %B322.if.i
  %.618.i = fcmp contract olt float %.580.value.2.0.i, %.1019
  br i1 %.618.i, label %B384.i, label %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit

B384.i:                                           ; preds = %B372.i
  store float %.580.value.2.0.i, ptr %.1018, align 4, !noalias !45
  %.637.i = load float, ptr %arg.sums0, align 4, !noalias !45
  %.639.i = fcmp contract une float %.637.i, %.580.value.2.0.i
  br i1 %.639.i, label %B422.i, label %B456.i

B422.i:                                           ; preds = %B384.i, %B422.i
  %at.3.0.i = phi i64 [ %.642.i, %B422.i ], [ 0, %B384.i ]
  %.642.i = add nuw nsw i64 %at.3.0.i, 1
  %.648.i = getelementptr float, ptr %arg.sums0, i64 %.642.i
  %.649.i = load float, ptr %.648.i, align 4, !noalias !45
  %.651.i = fcmp contract une float %.649.i, %.580.value.2.0.i
  br i1 %.651.i, label %B422.i, label %B456.i

B456.i:                                           ; preds = %B422.i, %B384.i
  %at.4.1.i = phi i64 [ 0, %B384.i ], [ %.642.i, %B422.i ]
  %.661.i = add nsw i64 %at.4.1.i, %.1015
  %.668.i = trunc i64 %.661.i to i32
  %.669.i = getelementptr i32, ptr %arg.index, i64 %.744.0642
  store i32 %.668.i, ptr %.669.i, align 4, !noalias !45
  br label %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit

B126.if.i417:                                     ; preds = %_ZN5banks7methods11memory_bank15nearest_kernels9_multiplyB3v40B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx23Literal_5bint_5d_280_29x10float32_2ax10float32_2a10float32_2a10float32_2a10float32_2a10float32_2a.exit, %B126.loopexit.i
  %.187.0168.i = phi i64 [ %.249.i, %B126.loopexit.i ], [ %.219.i, %_ZN5banks7methods11memory_bank15nearest_kernels9_multiplyB3v40B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx23Literal_5bint_5d_280_29x10float32_2ax10float32_2a10float32_2a10float32_2a10float32_2a10float32_2a.exit ]
  %.184.0167.i = phi i64 [ %.253.i418, %B126.loopexit.i ], [ 32, %_ZN5banks7methods11memory_bank15nearest_kernels9_multiplyB3v40B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx23Literal_5bint_5d_280_29x10float32_2ax10float32_2a10float32_2a10float32_2a10float32_2a10float32_2a.exit ]
  %38 = getelementptr float, ptr %arg.sums0, i64 %.184.0167.i
  br label %B170.if.i

B170.if.i:                                        ; preds = %B170.if.i, %B126.if.i417
  %.307.0165.i = phi i64 [ 32, %B126.if.i417 ], [ %.369.i, %B170.if.i ]
  %.304.0164.i = phi i64 [ 0, %B126.if.i417 ], [ %.373.i, %B170.if.i ]
  %.369.i = add nsw i64 %.307.0165.i, -1
  %.373.i = add nuw nsw i64 %.304.0164.i, 1
  %.405.i = getelementptr float, ptr %38, i64 %.304.0164.i
  %.406.i = load float, ptr %.405.i, align 4, !noalias !45
  %.409.i = getelementptr float, ptr %arg.lanes, i64 %.304.0164.i
  %.410.i = load float, ptr %.409.i, align 4, !noalias !45
  %.411.i = fcmp contract olt float %.406.i, %.410.i
  %.406..410.i = select i1 %.411.i, float %.406.i, float %.410.i
  store float %.406..410.i, ptr %.409.i, align 4, !noalias !45
  %.360.i = icmp samesign ugt i64 %.307.0165.i, 1
  br i1 %.360.i, label %B170.if.i, label %B126.loopexit.i

B322.if.i:                                        ; preds = %B322.if.i, %B264.i
  %value.2.0171.i = phi float [ %.453.i, %B264.i ], [ %.580.value.2.0.i, %B322.if.i ]
  %.483.0170.i = phi i64 [ 31, %B264.i ], [ %.545.i, %B322.if.i ]
  %.480.0169.i = phi i64 [ 1, %B264.i ], [ %.549.i, %B322.if.i ]
  %.545.i = add nsw i64 %.483.0170.i, -1
  %.549.i = add nuw nsw i64 %.480.0169.i, 1
  %.579.i = getelementptr float, ptr %arg.lanes, i64 %.480.0169.i
  %.580.i = load float, ptr %.579.i, align 4, !noalias !45
  %.582.i = fcmp contract olt float %.580.i, %value.2.0171.i
  %.580.value.2.0.i = select i1 %.582.i, float %.580.i, float %value.2.0171.i
  %.536.i = icmp samesign ugt i64 %.483.0170.i, 1
  br i1 %.536.i, label %B322.if.i, label %B372.i

_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit: ; preds = %B372.i, %B456.i
  %.1052 = getelementptr float, ptr %arg.least, i64 %.874
  %.1053 = load float, ptr %.1052, align 4
  tail call void @llvm.memcpy.p0.p0.i64(ptr noundef nonnull align 4 dereferenceable(128) %arg.lanes, ptr noundef nonnull align 4 dereferenceable(128) %arg.sums1, i64 128, i1 false), !noalias !48
  br i1 %.240166.i440.not, label %B264.i441, label %B126.if.i471

B126.loopexit.i486:                               ; preds = %B170.if.i474
  %.249.i487 = add nsw i64 %.187.0168.i472, -1
  %.253.i488 = add i64 %.184.0167.i473, 32
  %.240.i489 = icmp sgt i64 %.187.0168.i472, 1
  br i1 %.240.i489, label %B126.if.i471, label %B264.i441

B264.i441:                                        ; preds = %B126.loopexit.i486, %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit
  %.453.i442 = load float, ptr %arg.lanes, align 4, !noalias !48
  br label %B322.if.i443

B372.i454:                                        ; preds = %B322.if.i443
  %.618.i455 = fcmp contract olt float %.580.value.2.0.i452, %.1053
  br i1 %.618.i455, label %B384.i456, label %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit490

B384.i456:                                        ; preds = %B372.i454
  store float %.580.value.2.0.i452, ptr %.1052, align 4, !noalias !48
  %.637.i458 = load float, ptr %arg.sums1, align 4, !noalias !48
  %.639.i459 = fcmp contract une float %.637.i458, %.580.value.2.0.i452
  br i1 %.639.i459, label %B422.i465, label %B456.i460

B422.i465:                                        ; preds = %B384.i456, %B422.i465
  %at.3.0.i466 = phi i64 [ %.642.i467, %B422.i465 ], [ 0, %B384.i456 ]
  %.642.i467 = add nuw nsw i64 %at.3.0.i466, 1
  %.648.i468 = getelementptr float, ptr %arg.sums1, i64 %.642.i467
  %.649.i469 = load float, ptr %.648.i468, align 4, !noalias !48
  %.651.i470 = fcmp contract une float %.649.i469, %.580.value.2.0.i452
  br i1 %.651.i470, label %B422.i465, label %B456.i460

B456.i460:                                        ; preds = %B422.i465, %B384.i456
  %at.4.1.i461 = phi i64 [ 0, %B384.i456 ], [ %.642.i467, %B422.i465 ]
  %.661.i462 = add nsw i64 %at.4.1.i461, %.1015
  %.668.i463 = trunc i64 %.661.i462 to i32
  %.669.i464 = getelementptr i32, ptr %arg.index, i64 %.874
  store i32 %.668.i463, ptr %.669.i464, align 4, !noalias !48
  br label %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit490

B126.if.i471:                                     ; preds = %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit, %B126.loopexit.i486
  %.187.0168.i472 = phi i64 [ %.249.i487, %B126.loopexit.i486 ], [ %.219.i437, %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit ]
  %.184.0167.i473 = phi i64 [ %.253.i488, %B126.loopexit.i486 ], [ 32, %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit ]
  %39 = getelementptr float, ptr %arg.sums1, i64 %.184.0167.i473
  br label %B170.if.i474

B170.if.i474:                                     ; preds = %B170.if.i474, %B126.if.i471
  %.307.0165.i475 = phi i64 [ 32, %B126.if.i471 ], [ %.369.i477, %B170.if.i474 ]
  %.304.0164.i476 = phi i64 [ 0, %B126.if.i471 ], [ %.373.i478, %B170.if.i474 ]
  %.369.i477 = add nsw i64 %.307.0165.i475, -1
  %.373.i478 = add nuw nsw i64 %.304.0164.i476, 1
  %.405.i479 = getelementptr float, ptr %39, i64 %.304.0164.i476
  %.406.i480 = load float, ptr %.405.i479, align 4, !noalias !48
  %.409.i481 = getelementptr float, ptr %arg.lanes, i64 %.304.0164.i476
  %.410.i482 = load float, ptr %.409.i481, align 4, !noalias !48
  %.411.i483 = fcmp contract olt float %.406.i480, %.410.i482
  %.406..410.i484 = select i1 %.411.i483, float %.406.i480, float %.410.i482
  store float %.406..410.i484, ptr %.409.i481, align 4, !noalias !48
  %.360.i485 = icmp samesign ugt i64 %.307.0165.i475, 1
  br i1 %.360.i485, label %B170.if.i474, label %B126.loopexit.i486

B322.if.i443:                                     ; preds = %B322.if.i443, %B264.i441
  %value.2.0171.i444 = phi float [ %.453.i442, %B264.i441 ], [ %.580.value.2.0.i452, %B322.if.i443 ]
  %.483.0170.i445 = phi i64 [ 31, %B264.i441 ], [ %.545.i447, %B322.if.i443 ]
  %.480.0169.i446 = phi i64 [ 1, %B264.i441 ], [ %.549.i448, %B322.if.i443 ]
  %.545.i447 = add nsw i64 %.483.0170.i445, -1
  %.549.i448 = add nuw nsw i64 %.480.0169.i446, 1
  %.579.i449 = getelementptr float, ptr %arg.lanes, i64 %.480.0169.i446
  %.580.i450 = load float, ptr %.579.i449, align 4, !noalias !48
  %.582.i451 = fcmp contract olt float %.580.i450, %value.2.0171.i444
  %.580.value.2.0.i452 = select i1 %.582.i451, float %.580.i450, float %value.2.0171.i444
  %.536.i453 = icmp samesign ugt i64 %.483.0170.i445, 1
  br i1 %.536.i453, label %B322.if.i443, label %B372.i454

_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit490: ; preds = %B372.i454, %B456.i460
  %.1087 = getelementptr float, ptr %arg.least, i64 %.909
  %.1088 = load float, ptr %.1087, align 4
  tail call void @llvm.memcpy.p0.p0.i64(ptr noundef nonnull align 4 dereferenceable(128) %arg.lanes, ptr noundef nonnull align 4 dereferenceable(128) %arg.sums2, i64 128, i1 false), !noalias !51
  br i1 %.240166.i511.not, label %B264.i512, label %B126.if.i542

B126.loopexit.i557:                               ; preds = %B170.if.i545
  %.249.i558 = add nsw i64 %.187.0168.i543, -1
  %.253.i559 = add i64 %.184.0167.i544, 32
  %.240.i560 = icmp sgt i64 %.187.0168.i543, 1
  br i1 %.240.i560, label %B126.if.i542, label %B264.i512

B264.i512:                                        ; preds = %B126.loopexit.i557, %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit490
  %.453.i513 = load float, ptr %arg.lanes, align 4, !noalias !51
  br label %B322.if.i514

B372.i525:                                        ; preds = %B322.if.i514
  %.618.i526 = fcmp contract olt float %.580.value.2.0.i523, %.1088
  br i1 %.618.i526, label %B384.i527, label %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit561

B384.i527:                                        ; preds = %B372.i525
  store float %.580.value.2.0.i523, ptr %.1087, align 4, !noalias !51
  %.637.i529 = load float, ptr %arg.sums2, align 4, !noalias !51
  %.639.i530 = fcmp contract une float %.637.i529, %.580.value.2.0.i523
  br i1 %.639.i530, label %B422.i536, label %B456.i531

B422.i536:                                        ; preds = %B384.i527, %B422.i536
  %at.3.0.i537 = phi i64 [ %.642.i538, %B422.i536 ], [ 0, %B384.i527 ]
  %.642.i538 = add nuw nsw i64 %at.3.0.i537, 1
  %.648.i539 = getelementptr float, ptr %arg.sums2, i64 %.642.i538
  %.649.i540 = load float, ptr %.648.i539, align 4, !noalias !51
  %.651.i541 = fcmp contract une float %.649.i540, %.580.value.2.0.i523
  br i1 %.651.i541, label %B422.i536, label %B456.i531

B456.i531:                                        ; preds = %B422.i536, %B384.i527
  %at.4.1.i532 = phi i64 [ 0, %B384.i527 ], [ %.642.i538, %B422.i536 ]
  %.661.i533 = add nsw i64 %at.4.1.i532, %.1015
  %.668.i534 = trunc i64 %.661.i533 to i32
  %.669.i535 = getelementptr i32, ptr %arg.index, i64 %.909
  store i32 %.668.i534, ptr %.669.i535, align 4, !noalias !51
  br label %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit561

B126.if.i542:                                     ; preds = %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit490, %B126.loopexit.i557
  %.187.0168.i543 = phi i64 [ %.249.i558, %B126.loopexit.i557 ], [ %.219.i508, %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit490 ]
  %.184.0167.i544 = phi i64 [ %.253.i559, %B126.loopexit.i557 ], [ 32, %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit490 ]
  %40 = getelementptr float, ptr %arg.sums2, i64 %.184.0167.i544
  br label %B170.if.i545

B170.if.i545:                                     ; preds = %B170.if.i545, %B126.if.i542
  %.307.0165.i546 = phi i64 [ 32, %B126.if.i542 ], [ %.369.i548, %B170.if.i545 ]
  %.304.0164.i547 = phi i64 [ 0, %B126.if.i542 ], [ %.373.i549, %B170.if.i545 ]
  %.369.i548 = add nsw i64 %.307.0165.i546, -1
  %.373.i549 = add nuw nsw i64 %.304.0164.i547, 1
  %.405.i550 = getelementptr float, ptr %40, i64 %.304.0164.i547
  %.406.i551 = load float, ptr %.405.i550, align 4, !noalias !51
  %.409.i552 = getelementptr float, ptr %arg.lanes, i64 %.304.0164.i547
  %.410.i553 = load float, ptr %.409.i552, align 4, !noalias !51
  %.411.i554 = fcmp contract olt float %.406.i551, %.410.i553
  %.406..410.i555 = select i1 %.411.i554, float %.406.i551, float %.410.i553
  store float %.406..410.i555, ptr %.409.i552, align 4, !noalias !51
  %.360.i556 = icmp samesign ugt i64 %.307.0165.i546, 1
  br i1 %.360.i556, label %B170.if.i545, label %B126.loopexit.i557

B322.if.i514:                                     ; preds = %B322.if.i514, %B264.i512
  %value.2.0171.i515 = phi float [ %.453.i513, %B264.i512 ], [ %.580.value.2.0.i523, %B322.if.i514 ]
  %.483.0170.i516 = phi i64 [ 31, %B264.i512 ], [ %.545.i518, %B322.if.i514 ]
  %.480.0169.i517 = phi i64 [ 1, %B264.i512 ], [ %.549.i519, %B322.if.i514 ]
  %.545.i518 = add nsw i64 %.483.0170.i516, -1
  %.549.i519 = add nuw nsw i64 %.480.0169.i517, 1
  %.579.i520 = getelementptr float, ptr %arg.lanes, i64 %.480.0169.i517
  %.580.i521 = load float, ptr %.579.i520, align 4, !noalias !51
  %.582.i522 = fcmp contract olt float %.580.i521, %value.2.0171.i515
  %.580.value.2.0.i523 = select i1 %.582.i522, float %.580.i521, float %value.2.0171.i515
  %.536.i524 = icmp samesign ugt i64 %.483.0170.i516, 1
  br i1 %.536.i524, label %B322.if.i514, label %B372.i525

_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit561: ; preds = %B372.i525, %B456.i531
  %.1122 = getelementptr float, ptr %arg.least, i64 %.944
  %.1123 = load float, ptr %.1122, align 4
  tail call void @llvm.memcpy.p0.p0.i64(ptr noundef nonnull align 4 dereferenceable(128) %arg.lanes, ptr noundef nonnull align 4 dereferenceable(128) %arg.sums3, i64 128, i1 false), !noalias !54
  br i1 %.240166.i582.not, label %B264.i583, label %B126.if.i613

B126.loopexit.i628:                               ; preds = %B170.if.i616
  %.249.i629 = add nsw i64 %.187.0168.i614, -1
  %.253.i630 = add i64 %.184.0167.i615, 32
  %.240.i631 = icmp sgt i64 %.187.0168.i614, 1
  br i1 %.240.i631, label %B126.if.i613, label %B264.i583

B264.i583:                                        ; preds = %B126.loopexit.i628, %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit561
  %.453.i584 = load float, ptr %arg.lanes, align 4, !noalias !54
  br label %B322.if.i585

B372.i596:                                        ; preds = %B322.if.i585
  %.618.i597 = fcmp contract olt float %.580.value.2.0.i594, %.1123
  br i1 %.618.i597, label %B384.i598, label %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit632

B384.i598:                                        ; preds = %B372.i596
  store float %.580.value.2.0.i594, ptr %.1122, align 4, !noalias !54
  %.637.i600 = load float, ptr %arg.sums3, align 4, !noalias !54
  %.639.i601 = fcmp contract une float %.637.i600, %.580.value.2.0.i594
  br i1 %.639.i601, label %B422.i607, label %B456.i602

B422.i607:                                        ; preds = %B384.i598, %B422.i607
  %at.3.0.i608 = phi i64 [ %.642.i609, %B422.i607 ], [ 0, %B384.i598 ]
  %.642.i609 = add nuw nsw i64 %at.3.0.i608, 1
  %.648.i610 = getelementptr float, ptr %arg.sums3, i64 %.642.i609
  %.649.i611 = load float, ptr %.648.i610, align 4, !noalias !54
  %.651.i612 = fcmp contract une float %.649.i611, %.580.value.2.0.i594
  br i1 %.651.i612, label %B422.i607, label %B456.i602

B456.i602:                                        ; preds = %B422.i607, %B384.i598
  %at.4.1.i603 = phi i64 [ 0, %B384.i598 ], [ %.642.i609, %B422.i607 ]
  %.661.i604 = add nsw i64 %at.4.1.i603, %.1015
  %.668.i605 = trunc i64 %.661.i604 to i32
  %.669.i606 = getelementptr i32, ptr %arg.index, i64 %.944
  store i32 %.668.i605, ptr %.669.i606, align 4, !noalias !54
  br label %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit632

B126.if.i613:                                     ; preds = %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit561, %B126.loopexit.i628
  %.187.0168.i614 = phi i64 [ %.249.i629, %B126.loopexit.i628 ], [ %.219.i579, %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit561 ]
  %.184.0167.i615 = phi i64 [ %.253.i630, %B126.loopexit.i628 ], [ 32, %_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit561 ]
  %41 = getelementptr float, ptr %arg.sums3, i64 %.184.0167.i615
  br label %B170.if.i616

B170.if.i616:                                     ; preds = %B170.if.i616, %B126.if.i613
  %.307.0165.i617 = phi i64 [ 32, %B126.if.i613 ], [ %.369.i619, %B170.if.i616 ]
  %.304.0164.i618 = phi i64 [ 0, %B126.if.i613 ], [ %.373.i620, %B170.if.i616 ]
  %.369.i619 = add nsw i64 %.307.0165.i617, -1
  %.373.i620 = add nuw nsw i64 %.304.0164.i618, 1
  %.405.i621 = getelementptr float, ptr %41, i64 %.304.0164.i618
  %.406.i622 = load float, ptr %.405.i621, align 4, !noalias !54
  %.409.i623 = getelementptr float, ptr %arg.lanes, i64 %.304.0164.i618
  %.410.i624 = load float, ptr %.409.i623, align 4, !noalias !54
  %.411.i625 = fcmp contract olt float %.406.i622, %.410.i624
  %.406..410.i626 = select i1 %.411.i625, float %.406.i622, float %.410.i624
  store float %.406..410.i626, ptr %.409.i623, align 4, !noalias !54
  %.360.i627 = icmp samesign ugt i64 %.307.0165.i617, 1
  br i1 %.360.i627, label %B170.if.i616, label %B126.loopexit.i628

B322.if.i585:                                     ; preds = %B322.if.i585, %B264.i583
  %value.2.0171.i586 = phi float [ %.453.i584, %B264.i583 ], [ %.580.value.2.0.i594, %B322.if.i585 ]
  %.483.0170.i587 = phi i64 [ 31, %B264.i583 ], [ %.545.i589, %B322.if.i585 ]
  %.480.0169.i588 = phi i64 [ 1, %B264.i583 ], [ %.549.i590, %B322.if.i585 ]
  %.545.i589 = add nsw i64 %.483.0170.i587, -1
  %.549.i590 = add nuw nsw i64 %.480.0169.i588, 1
  %.579.i591 = getelementptr float, ptr %arg.lanes, i64 %.480.0169.i588
  %.580.i592 = load float, ptr %.579.i591, align 4, !noalias !54
  %.582.i593 = fcmp contract olt float %.580.i592, %value.2.0171.i586
  %.580.value.2.0.i594 = select i1 %.582.i593, float %.580.i592, float %value.2.0171.i586
  %.536.i595 = icmp samesign ugt i64 %.483.0170.i587, 1
  br i1 %.536.i595, label %B322.if.i585, label %B372.i596

_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a.exit632: ; preds = %B372.i596, %B456.i602
  %.801 = icmp sgt i64 %.747.0643, 1
  br i1 %.801, label %B716.if, label %B158.loopexit
}

; Function Attrs: nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare i64 @llvm.smax.i64(i64, i64) #1

; Function Attrs: nocallback nofree nounwind willreturn memory(argmem: write)
declare void @llvm.memset.p0.i64(ptr writeonly captures(none), i8, i64, i1 immarg) #2

; Function Attrs: nocallback nofree nounwind willreturn memory(argmem: readwrite)
declare void @llvm.memcpy.p0.p0.i64(ptr noalias writeonly captures(none), ptr noalias readonly captures(none), i64, i1 immarg) #3

attributes #0 = { nofree norecurse nosync nounwind memory(argmem: readwrite) }
attributes #1 = { nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none) }
attributes #2 = { nocallback nofree nounwind willreturn memory(argmem: write) }
attributes #3 = { nocallback nofree nounwind willreturn memory(argmem: readwrite) }

!0 = !{!1}
!1 = distinct !{!1, !2, !"_ZN5banks7methods11memory_bank15nearest_kernels5_packB3v35B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAExxxxxxx10float32_2a10float32_2a10float32_2a10float32_2a: %retptr"}
!2 = distinct !{!2, !"_ZN5banks7methods11memory_bank15nearest_kernels5_packB3v35B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAExxxxxxx10float32_2a10float32_2a10float32_2a10float32_2a"}
!3 = !{!4}
!4 = distinct !{!4, !5, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v36B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2a23Literal_5bint_5d_280_29: %retptr"}
!5 = distinct !{!5, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v36B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2a23Literal_5bint_5d_280_29"}
!6 = !{!7}
!7 = distinct !{!7, !8, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v36B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2a23Literal_5bint_5d_280_29: %retptr"}
!8 = distinct !{!8, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v36B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2a23Literal_5bint_5d_280_29"}
!9 = !{!10}
!10 = distinct !{!10, !11, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v36B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2a23Literal_5bint_5d_280_29: %retptr"}
!11 = distinct !{!11, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v36B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2a23Literal_5bint_5d_280_29"}
!12 = !{!13}
!13 = distinct !{!13, !14, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v36B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2a23Literal_5bint_5d_280_29: %retptr"}
!14 = distinct !{!14, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v36B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2a23Literal_5bint_5d_280_29"}
!15 = !{!16}
!16 = distinct !{!16, !17, !"_ZN5banks7methods11memory_bank15nearest_kernels9_multiplyB3v37B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAExxx10float32_2ax10float32_2a10float32_2a10float32_2a10float32_2a10float32_2a: %retptr"}
!17 = distinct !{!17, !"_ZN5banks7methods11memory_bank15nearest_kernels9_multiplyB3v37B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAExxx10float32_2ax10float32_2a10float32_2a10float32_2a10float32_2a10float32_2a"}
!18 = !{!19}
!19 = distinct !{!19, !20, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v38B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2ax: %retptr"}
!20 = distinct !{!20, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v38B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2ax"}
!21 = !{!22}
!22 = distinct !{!22, !23, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v38B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2ax: %retptr"}
!23 = distinct !{!23, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v38B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2ax"}
!24 = !{!25}
!25 = distinct !{!25, !26, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v38B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2ax: %retptr"}
!26 = distinct !{!26, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v38B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2ax"}
!27 = !{!28}
!28 = distinct !{!28, !29, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v38B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2ax: %retptr"}
!29 = distinct !{!29, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v38B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a23Literal_5bint_5d_280_2910float32_2ax"}
!30 = !{!31}
!31 = distinct !{!31, !32, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29: %retptr"}
!32 = distinct !{!32, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29"}
!33 = !{!34}
!34 = distinct !{!34, !35, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29: %retptr"}
!35 = distinct !{!35, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29"}
!36 = !{!37}
!37 = distinct !{!37, !38, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29: %retptr"}
!38 = distinct !{!38, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29"}
!39 = !{!40}
!40 = distinct !{!40, !41, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29: %retptr"}
!41 = distinct !{!41, !"_ZN5banks7methods11memory_bank15nearest_kernels5_copyB3v39B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2ax10float32_2a23Literal_5bint_5d_280_29"}
!42 = !{!43}
!43 = distinct !{!43, !44, !"_ZN5banks7methods11memory_bank15nearest_kernels9_multiplyB3v40B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx23Literal_5bint_5d_280_29x10float32_2ax10float32_2a10float32_2a10float32_2a10float32_2a10float32_2a: %retptr"}
!44 = distinct !{!44, !"_ZN5banks7methods11memory_bank15nearest_kernels9_multiplyB3v40B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx23Literal_5bint_5d_280_29x10float32_2ax10float32_2a10float32_2a10float32_2a10float32_2a10float32_2a"}
!45 = !{!46}
!46 = distinct !{!46, !47, !"_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a: %retptr"}
!47 = distinct !{!47, !"_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a"}
!48 = !{!49}
!49 = distinct !{!49, !50, !"_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a: %retptr"}
!50 = distinct !{!50, !"_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a"}
!51 = !{!52}
!52 = distinct !{!52, !53, !"_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a: %retptr"}
!53 = distinct !{!53, !"_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a"}
!54 = !{!55}
!55 = distinct !{!55, !56, !"_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a: %retptr"}
!56 = distinct !{!56, !"_ZN5banks7methods11memory_bank15nearest_kernels6_leastB3v41B66c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1mpoAEx10float32_2a10float32_2afxx10float32_2a8int32_2a"}
