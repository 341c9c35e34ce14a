; made by `make kernels` from fpfh_kernels.py, sha256 59ad92edcaff4aeec20b3523772deda88ee32e55de1ccba0576d258f1a20934f
; kernel normals nnXXXNNnXXX
; kernel simple nnXXXXXXNNXXXXX
; kernel fast nnXNNXXX
; ModuleID = 'fpfh_kernels'
source_filename = "<string>"

@.const.pickledata.a832a7f8175c2530692ab82e581e246bf5646a28.3 = internal constant [70 x i8] c"\80\04\95;\00\00\00\00\00\00\00\8C\08builtins\94\8C\0AIndexError\94\93\94\8C\18tuple index out of range\94\85\94N\87\94."
@.const.pickledata.a832a7f8175c2530692ab82e581e246bf5646a28.sha1.4 = internal constant [20 x i8] c"\A82\A7\F8\17\\%0i*\B8.X\1E$k\F5dj("
@.const.picklebuf.a832a7f8175c2530692ab82e581e246bf5646a28.2 = internal constant { ptr, i32, ptr, ptr, i32 } { ptr @.const.pickledata.a832a7f8175c2530692ab82e581e246bf5646a28.3, i32 70, ptr @.const.pickledata.a832a7f8175c2530692ab82e581e246bf5646a28.sha1.4, ptr null, i32 0 }
@switch.table.simple = private unnamed_addr constant [5 x double] [double 0x3FEEB42A9BCD5057, double 0x3FE4F49E7F775887, double 0x3FC2375F640F44DA, double 0xBFDA9628D9C712B4, double 0xBFEAEB8C8764F0B9], align 8
@switch.table.simple.13 = private unnamed_addr constant [5 x double] [double 0x3FD207E7FD768DBF, double 0x3FE82F19BB3A28A1, double 0x3FEFAC9E043842EF, double 0x3FED1BB48EEE2C14, double 0x3FE14CEDF8BB580D], align 8

; Function Attrs: nofree norecurse nosync nounwind memory(argmem: readwrite)
define noundef range(i32 0, 2) i32 @normals(ptr noalias writeonly captures(none) %retptr, ptr noalias readnone captures(none) %excinfo, i64 %arg.n, i64 %arg.most, ptr noalias readonly captures(none) %arg.xs, ptr noalias readonly captures(none) %arg.ys, ptr noalias readonly captures(none) %arg.zs, ptr noalias readonly captures(none) %arg.index, ptr noalias readonly captures(none) %arg.held, i64 %arg.towards_camera, ptr noalias writeonly captures(none) %arg.across, ptr noalias writeonly captures(none) %arg.down, ptr noalias writeonly captures(none) %arg.along) local_unnamed_addr #0 {
entry:
  %.505.i = alloca [3 x double], align 8
  %.676.i = alloca [3 x double], align 8
  %.117162.not = icmp slt i64 %arg.n, 1
  br i1 %.117162.not, label %B766, label %B36.if.lr.ph

B36.if.lr.ph:                                     ; preds = %entry
  %.fca.1.gep65.i = getelementptr inbounds nuw i8, ptr %.505.i, i64 8
  %.fca.2.gep66.i = getelementptr inbounds nuw i8, ptr %.505.i, i64 16
  %.fca.1.gep20.i = getelementptr inbounds nuw i8, ptr %.676.i, i64 8
  %.fca.2.gep21.i = getelementptr inbounds nuw i8, ptr %.676.i, i64 16
  %.547.not = icmp eq i64 %arg.towards_camera, 0
  br label %B36.if

B326:                                             ; preds = %B118.if, %B36.if
  %x.3.1.lcssa = phi double [ 0.000000e+00, %B36.if ], [ %.327, %B118.if ]
  %y.3.1.lcssa = phi double [ 0.000000e+00, %B36.if ], [ %.329, %B118.if ]
  %z.3.1.lcssa = phi double [ 0.000000e+00, %B36.if ], [ %.331, %B118.if ]
  %xx.2.1.lcssa = phi double [ 0.000000e+00, %B36.if ], [ %.340, %B118.if ]
  %xy.2.1.lcssa = phi double [ 0.000000e+00, %B36.if ], [ %.343, %B118.if ]
  %xz.2.1.lcssa = phi double [ 0.000000e+00, %B36.if ], [ %.346, %B118.if ]
  %yy.2.1.lcssa = phi double [ 0.000000e+00, %B36.if ], [ %.355, %B118.if ]
  %yz.2.1.lcssa = phi double [ 0.000000e+00, %B36.if ], [ %.358, %B118.if ]
  %zz.2.1.lcssa = phi double [ 0.000000e+00, %B36.if ], [ %.361, %B118.if ]
  %.384 = icmp sgt i32 %.188, 2
  br i1 %.384, label %B354, label %B594

B354:                                             ; preds = %B326
  %.390 = uitofp nneg i32 %.188 to double
  %.395 = fdiv double %x.3.1.lcssa, %.390
  %.402 = fdiv double %y.3.1.lcssa, %.390
  %.409 = fdiv double %z.3.1.lcssa, %.390
  %.416 = fdiv double %xx.2.1.lcssa, %.390
  %.419 = fmul double %.395, %.395
  %.420 = fsub double %.416, %.419
  %.425 = fdiv double %xy.2.1.lcssa, %.390
  %.428 = fmul double %.395, %.402
  %.429 = fsub double %.425, %.428
  %.434 = fdiv double %xz.2.1.lcssa, %.390
  %.437 = fmul double %.395, %.409
  %.438 = fsub double %.434, %.437
  %.446 = fdiv double %yy.2.1.lcssa, %.390
  %.449 = fmul double %.402, %.402
  %.450 = fsub double %.446, %.449
  %.455 = fdiv double %yz.2.1.lcssa, %.390
  %.458 = fmul double %.402, %.409
  %.459 = fsub double %.455, %.458
  %.464 = fdiv double %zz.2.1.lcssa, %.390
  %.467 = fmul double %.409, %.409
  %.468 = fsub double %.464, %.467
  call void @llvm.lifetime.start.p0(ptr nonnull %.505.i)
  call void @llvm.lifetime.start.p0(ptr nonnull %.676.i)
  call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(24) %.505.i, i8 0, i64 24, i1 false), !noalias !0
  call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(24) %.676.i, i8 0, i64 24, i1 false), !noalias !0
  %.22.i.i = fcmp ogt double %.429, %.420
  %.23.i.i = select i1 %.22.i.i, double %.429, double %.420
  %.24.i.i = fcmp ogt double %.438, %.23.i.i
  %.25.i.i = select i1 %.24.i.i, double %.438, double %.23.i.i
  %.26.i.i = fcmp ogt double %.450, %.25.i.i
  %.27.i.i = select i1 %.26.i.i, double %.450, double %.25.i.i
  %.28.i.i = fcmp ogt double %.459, %.27.i.i
  %.29.i.i = select i1 %.28.i.i, double %.459, double %.27.i.i
  %.30.i.i = fcmp ogt double %.468, %.29.i.i
  %.31.i.i = select i1 %.30.i.i, double %.468, double %.29.i.i
  %.89.i = fcmp oeq double %.31.i.i, 0.000000e+00
  br i1 %.89.i, label %_ZN6models6points12fpfh_kernels9_flattestB2v2B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EE.exit, label %B78.i

B78.i:                                            ; preds = %B354
  %.115.i = fdiv double %.420, %.31.i.i
  %.123.i = fdiv double %.429, %.31.i.i
  %.131.i = fdiv double %.438, %.31.i.i
  %.148.i = fdiv double %.450, %.31.i.i
  %.156.i = fdiv double %.459, %.31.i.i
  %.164.i = fdiv double %.468, %.31.i.i
  %.180.i = fmul double %.123.i, %.123.i
  %.183.i = fmul double %.131.i, %.131.i
  %.184.i = fadd double %.180.i, %.183.i
  %.187.i = fmul double %.156.i, %.156.i
  %.188.i = fadd double %.187.i, %.184.i
  %.194.i = fcmp ogt double %.188.i, 0.000000e+00
  br i1 %.194.i, label %B244.i, label %B184.i

B184.i:                                           ; preds = %B78.i
  %.206.i = fcmp olt double %.115.i, %.148.i
  %.210.i = fcmp olt double %.115.i, %.164.i
  %or.cond.i = and i1 %.206.i, %.210.i
  br i1 %or.cond.i, label %_ZN6models6points12fpfh_kernels9_flattestB2v2B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EE.exit, label %B212.i

B212.i:                                           ; preds = %B184.i
  %.225.i = fcmp olt double %.148.i, %.115.i
  %.231.i = fcmp olt double %.148.i, %.164.i
  %or.cond153.i = and i1 %.225.i, %.231.i
  %"$phi242.0.2.sroa.16.0.i" = select i1 %or.cond153.i, double 0.000000e+00, double 1.000000e+00
  %"$phi242.0.2.sroa.8.0.i" = select i1 %or.cond153.i, double 1.000000e+00, double 0.000000e+00
  br label %_ZN6models6points12fpfh_kernels9_flattestB2v2B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EE.exit

B244.i:                                           ; preds = %B78.i
  %.261.i = fadd double %.115.i, %.148.i
  %.263.i = fadd double %.164.i, %.261.i
  %.268.i = fdiv double %.263.i, 3.000000e+00
  %.270.i = fsub double %.115.i, %.268.i
  %.272.i = fsub double %.148.i, %.268.i
  %.274.i = fsub double %.164.i, %.268.i
  %.275.i = fmul double %.270.i, %.270.i
  %.276.i = fmul double %.272.i, %.272.i
  %.277.i = fadd double %.275.i, %.276.i
  %.278.i = fmul double %.274.i, %.274.i
  %.279.i = fadd double %.278.i, %.277.i
  %.282.i = fmul double %.188.i, 2.000000e+00
  %.285.i = fadd double %.282.i, %.279.i
  %.290.i = fdiv double %.285.i, 6.000000e+00
  %.291.i = tail call double @llvm.sqrt.f64(double %.290.i)
  %.292.i = fmul double %.272.i, %.274.i
  %.296.i = fsub double %.292.i, %.187.i
  %.298.i = fmul double %.123.i, %.274.i
  %.301.i = fmul double %.156.i, %.131.i
  %.302.i = fsub double %.298.i, %.301.i
  %.305.i = fmul double %.123.i, %.156.i
  %.307.i = fmul double %.131.i, %.272.i
  %.308.i = fsub double %.305.i, %.307.i
  %.313.i = fmul double %.270.i, %.296.i
  %.316.i = fmul double %.123.i, %.302.i
  %.317.i = fsub double %.313.i, %.316.i
  %.320.i = fmul double %.131.i, %.308.i
  %.321.i = fadd double %.320.i, %.317.i
  %.322.i = fmul double %.291.i, %.291.i
  %.323.i = fmul double %.291.i, %.322.i
  %.327.i = fdiv double %.321.i, %.323.i
  %.328.i = fmul double %.327.i, 5.000000e-01
  %.10.i.i = fcmp olt double %.328.i, -1.000000e+00
  %.11.i.i = select i1 %.10.i.i, double -1.000000e+00, double %.328.i
  %.10.i158.i = fcmp ogt double %.11.i.i, 1.000000e+00
  %.11.i159.i = select i1 %.10.i158.i, double 1.000000e+00, double %.11.i.i
  %.385.i = tail call double @acos(double %.11.i159.i)
  %.389.i = fdiv double %.385.i, 3.000000e+00
  %.390.i = tail call double @llvm.cos.f64(double %.389.i)
  %.392.i = fmul double %.390.i, 2.000000e+00
  %.393.i = fadd double %.389.i, 0x4000C152382D7366
  %.394.i = tail call double @llvm.cos.f64(double %.393.i)
  %.396.i = fmul double %.394.i, 2.000000e+00
  %.397.i = fmul double %.291.i, %.396.i
  %.398.i = fadd double %.268.i, %.397.i
  %.399.i = fadd double %.392.i, %.396.i
  %0 = fmul double %.291.i, %.399.i
  %.402.i = fsub double %.268.i, %0
  %.403.i = fmul double %.291.i, %.392.i
  %.404.i = fadd double %.268.i, %.403.i
  %.442.i = fcmp ult double %.328.i, 0.000000e+00
  %.25.i.i173.i = fmul double %.123.i, %.131.i
  br i1 %.442.i, label %B980.i, label %B826.i

B826.i:                                           ; preds = %B244.i
  %.23.i160.i = fsub double %.115.i, %.404.i
  %.27.i161.i = fsub double %.148.i, %.404.i
  %.31.i162.i = fsub double %.164.i, %.404.i
  %.21.i.i.i = fmul double %.131.i, %.27.i161.i
  %.22.i.i.i = fsub double %.305.i, %.21.i.i.i
  %.28.i.i.i = fmul double %.156.i, %.23.i160.i
  %.29.i.i.i = fsub double %.25.i.i173.i, %.28.i.i.i
  %.32.i.i.i = fmul double %.23.i160.i, %.27.i161.i
  %.36.i.i.i = fsub double %.32.i.i.i, %.180.i
  %.18.i86.i.i = fmul double %.22.i.i.i, %.22.i.i.i
  %.21.i87.i.i = fmul double %.29.i.i.i, %.29.i.i.i
  %.22.i88.i.i = fadd double %.18.i86.i.i, %.21.i87.i.i
  %.25.i89.i.i = fmul double %.36.i.i.i, %.36.i.i.i
  %.26.i.i.i = fadd double %.25.i89.i.i, %.22.i88.i.i
  %.18.i90.i.i = fmul double %.123.i, %.31.i162.i
  %.22.i92.i.i = fsub double %.18.i90.i.i, %.301.i
  %.28.i94.i.i = fmul double %.23.i160.i, %.31.i162.i
  %.29.i95.i.i = fsub double %.183.i, %.28.i94.i.i
  %.36.i98.i.i = fsub double %.28.i.i.i, %.25.i.i173.i
  %.18.i101.i.i = fmul double %.27.i161.i, %.31.i162.i
  %.22.i103.i.i = fsub double %.18.i101.i.i, %.187.i
  %.29.i106.i.i = fsub double %.301.i, %.18.i90.i.i
  br label %B198.if.i.i

B246.i.i:                                         ; preds = %B198.if.i.i
  br label %B254.i.i

B254.i.i:                                         ; preds = %B198.if.i.i, %B246.i.i
  %best.3.sroa.16.1.i.i = phi double [ %.126.fca.2.load.pn.i.i, %B246.i.i ], [ %best.2.sroa.26.0119.i.i, %B198.if.i.i ]
  %best.3.sroa.8.1.i.i = phi double [ %.126.fca.1.load.pn.i.i, %B246.i.i ], [ %best.2.sroa.13.0120.i.i, %B198.if.i.i ]
  %best.3.sroa.0.1.i.i = phi double [ %.126.fca.0.load.pn.i.i, %B246.i.i ], [ %best.2.sroa.0.0121.i.i, %B198.if.i.i ]
  %most.3.1.i.i = phi double [ %.26.i116.i.i, %B246.i.i ], [ %most.2.0122.i.i, %B198.if.i.i ]
  %.197.i.i = icmp eq i64 %.172.0118.i.i, 0
  br i1 %.197.i.i, label %B198.if.i.i, label %_ZN6models6points12fpfh_kernels13_outer_vectorB2v6B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EEd.exit.i

B198.if.i.i:                                      ; preds = %B254.i.i, %B826.i
  %most.2.0122.i.i = phi double [ %.26.i.i.i, %B826.i ], [ %most.3.1.i.i, %B254.i.i ]
  %best.2.sroa.0.0121.i.i = phi double [ %.22.i.i.i, %B826.i ], [ %best.3.sroa.0.1.i.i, %B254.i.i ]
  %best.2.sroa.13.0120.i.i = phi double [ %.29.i.i.i, %B826.i ], [ %best.3.sroa.8.1.i.i, %B254.i.i ]
  %best.2.sroa.26.0119.i.i = phi double [ %.36.i.i.i, %B826.i ], [ %best.3.sroa.16.1.i.i, %B254.i.i ]
  %.172.0118.i.i = phi i64 [ 0, %B826.i ], [ %.214.i.i, %B254.i.i ]
  %trunc.i.i = trunc nuw i64 %.172.0118.i.i to i1
  %.126.fca.0.load.pn.i.i = select i1 %trunc.i.i, double %.22.i103.i.i, double %.22.i92.i.i
  %.126.fca.1.load.pn.i.i = select i1 %trunc.i.i, double %.29.i106.i.i, double %.29.i95.i.i
  %.126.fca.2.load.pn.i.i = select i1 %trunc.i.i, double %.22.i.i.i, double %.36.i98.i.i
  %.214.i.i = add nuw nsw i64 %.172.0118.i.i, 1
  %.18.i112.i.i = fmul double %.126.fca.0.load.pn.i.i, %.126.fca.0.load.pn.i.i
  %.21.i113.i.i = fmul double %.126.fca.1.load.pn.i.i, %.126.fca.1.load.pn.i.i
  %.22.i114.i.i = fadd double %.18.i112.i.i, %.21.i113.i.i
  %.25.i115.i.i = fmul double %.126.fca.2.load.pn.i.i, %.126.fca.2.load.pn.i.i
  %.26.i116.i.i = fadd double %.25.i115.i.i, %.22.i114.i.i
  %.290.i.i = fcmp ogt double %.26.i116.i.i, %most.2.0122.i.i
  br i1 %.290.i.i, label %B246.i.i, label %B254.i.i

_ZN6models6points12fpfh_kernels13_outer_vectorB2v6B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EEd.exit.i: ; preds = %B254.i.i
  %.325.i.i = tail call double @llvm.sqrt.f64(double %most.3.1.i.i)
  %.333.i.i = fdiv double %best.3.sroa.0.1.i.i, %.325.i.i
  %.339.i.i = fdiv double %best.3.sroa.8.1.i.i, %.325.i.i
  %.347.i.i = fdiv double %best.3.sroa.16.1.i.i, %.325.i.i
  %.482.i = fcmp olt double %.404.i, %.398.i
  %.486.i = fcmp olt double %.404.i, %.402.i
  %or.cond154.i = select i1 %.482.i, i1 %.486.i, i1 false
  br i1 %or.cond154.i, label %_ZN6models6points12fpfh_kernels9_flattestB2v2B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EE.exit, label %B886.i

B886.i:                                           ; preds = %_ZN6models6points12fpfh_kernels13_outer_vectorB2v6B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EEd.exit.i
  call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(24) %.505.i, i8 0, i64 24, i1 false), !noalias !0
  call fastcc void @_ZN6models6points12fpfh_kernels14_middle_vectorB2v9B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EE8UniTupleIdLi3EEd(ptr %.505.i, double %.115.i, double %.123.i, double %.131.i, double %.148.i, double %.156.i, double %.164.i, double %.333.i.i, double %.339.i.i, double %.347.i.i, double %.402.i)
  %.528.fca.0.load.i = load double, ptr %.505.i, align 8, !noalias !0
  %.528.fca.1.load.i = load double, ptr %.fca.1.gep65.i, align 8, !noalias !0
  %.528.fca.2.load.i = load double, ptr %.fca.2.gep66.i, align 8, !noalias !0
  %.545.i = fcmp olt double %.402.i, %.398.i
  %.551.i = fcmp olt double %.402.i, %.404.i
  %or.cond155.i = select i1 %.545.i, i1 %.551.i, i1 false
  br i1 %or.cond155.i, label %_ZN6models6points12fpfh_kernels9_flattestB2v2B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EE.exit, label %B948.i

B948.i:                                           ; preds = %B886.i
  %.18.i.i = fmul double %.347.i.i, %.528.fca.1.load.i
  %.21.i.i = fmul double %.339.i.i, %.528.fca.2.load.i
  %.22.i163.i = fsub double %.18.i.i, %.21.i.i
  %.25.i164.i = fmul double %.333.i.i, %.528.fca.2.load.i
  %.28.i165.i = fmul double %.347.i.i, %.528.fca.0.load.i
  %.29.i166.i = fsub double %.25.i164.i, %.28.i165.i
  %.32.i.i = fmul double %.339.i.i, %.528.fca.0.load.i
  %.35.i.i = fmul double %.333.i.i, %.528.fca.1.load.i
  %.36.i.i = fsub double %.32.i.i, %.35.i.i
  br label %_ZN6models6points12fpfh_kernels9_flattestB2v2B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EE.exit

B980.i:                                           ; preds = %B244.i
  %.23.i167.i = fsub double %.115.i, %.398.i
  %.27.i168.i = fsub double %.148.i, %.398.i
  %.31.i169.i = fsub double %.164.i, %.398.i
  %.21.i.i171.i = fmul double %.131.i, %.27.i168.i
  %.22.i.i172.i = fsub double %.305.i, %.21.i.i171.i
  %.28.i.i174.i = fmul double %.156.i, %.23.i167.i
  %.29.i.i175.i = fsub double %.25.i.i173.i, %.28.i.i174.i
  %.32.i.i176.i = fmul double %.23.i167.i, %.27.i168.i
  %.36.i.i178.i = fsub double %.32.i.i176.i, %.180.i
  %.18.i86.i179.i = fmul double %.22.i.i172.i, %.22.i.i172.i
  %.21.i87.i180.i = fmul double %.29.i.i175.i, %.29.i.i175.i
  %.22.i88.i181.i = fadd double %.18.i86.i179.i, %.21.i87.i180.i
  %.25.i89.i182.i = fmul double %.36.i.i178.i, %.36.i.i178.i
  %.26.i.i183.i = fadd double %.25.i89.i182.i, %.22.i88.i181.i
  %.18.i90.i184.i = fmul double %.123.i, %.31.i169.i
  %.22.i92.i186.i = fsub double %.18.i90.i184.i, %.301.i
  %.28.i94.i188.i = fmul double %.23.i167.i, %.31.i169.i
  %.29.i95.i189.i = fsub double %.183.i, %.28.i94.i188.i
  %.36.i98.i190.i = fsub double %.28.i.i174.i, %.25.i.i173.i
  %.18.i101.i191.i = fmul double %.27.i168.i, %.31.i169.i
  %.22.i103.i193.i = fsub double %.18.i101.i191.i, %.187.i
  %.29.i106.i194.i = fsub double %.301.i, %.18.i90.i184.i
  br label %B198.if.i195.i

B246.i224.i:                                      ; preds = %B198.if.i195.i
  br label %B254.i212.i

B254.i212.i:                                      ; preds = %B198.if.i195.i, %B246.i224.i
  %best.3.sroa.16.1.i213.i = phi double [ %.126.fca.2.load.pn.i204.i, %B246.i224.i ], [ %best.2.sroa.26.0119.i199.i, %B198.if.i195.i ]
  %best.3.sroa.8.1.i214.i = phi double [ %.126.fca.1.load.pn.i203.i, %B246.i224.i ], [ %best.2.sroa.13.0120.i198.i, %B198.if.i195.i ]
  %best.3.sroa.0.1.i215.i = phi double [ %.126.fca.0.load.pn.i202.i, %B246.i224.i ], [ %best.2.sroa.0.0121.i197.i, %B198.if.i195.i ]
  %most.3.1.i216.i = phi double [ %.26.i116.i210.i, %B246.i224.i ], [ %most.2.0122.i196.i, %B198.if.i195.i ]
  %.197.i217.i = icmp eq i64 %.172.0118.i200.i, 0
  br i1 %.197.i217.i, label %B198.if.i195.i, label %_ZN6models6points12fpfh_kernels13_outer_vectorB2v6B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EEd.exit225.i

B198.if.i195.i:                                   ; preds = %B254.i212.i, %B980.i
  %most.2.0122.i196.i = phi double [ %.26.i.i183.i, %B980.i ], [ %most.3.1.i216.i, %B254.i212.i ]
  %best.2.sroa.0.0121.i197.i = phi double [ %.22.i.i172.i, %B980.i ], [ %best.3.sroa.0.1.i215.i, %B254.i212.i ]
  %best.2.sroa.13.0120.i198.i = phi double [ %.29.i.i175.i, %B980.i ], [ %best.3.sroa.8.1.i214.i, %B254.i212.i ]
  %best.2.sroa.26.0119.i199.i = phi double [ %.36.i.i178.i, %B980.i ], [ %best.3.sroa.16.1.i213.i, %B254.i212.i ]
  %.172.0118.i200.i = phi i64 [ 0, %B980.i ], [ %.214.i205.i, %B254.i212.i ]
  %trunc.i201.i = trunc nuw i64 %.172.0118.i200.i to i1
  %.126.fca.0.load.pn.i202.i = select i1 %trunc.i201.i, double %.22.i103.i193.i, double %.22.i92.i186.i
  %.126.fca.1.load.pn.i203.i = select i1 %trunc.i201.i, double %.29.i106.i194.i, double %.29.i95.i189.i
  %.126.fca.2.load.pn.i204.i = select i1 %trunc.i201.i, double %.22.i.i172.i, double %.36.i98.i190.i
  %.214.i205.i = add nuw nsw i64 %.172.0118.i200.i, 1
  %.18.i112.i206.i = fmul double %.126.fca.0.load.pn.i202.i, %.126.fca.0.load.pn.i202.i
  %.21.i113.i207.i = fmul double %.126.fca.1.load.pn.i203.i, %.126.fca.1.load.pn.i203.i
  %.22.i114.i208.i = fadd double %.18.i112.i206.i, %.21.i113.i207.i
  %.25.i115.i209.i = fmul double %.126.fca.2.load.pn.i204.i, %.126.fca.2.load.pn.i204.i
  %.26.i116.i210.i = fadd double %.25.i115.i209.i, %.22.i114.i208.i
  %.290.i211.i = fcmp ogt double %.26.i116.i210.i, %most.2.0122.i196.i
  br i1 %.290.i211.i, label %B246.i224.i, label %B254.i212.i

_ZN6models6points12fpfh_kernels13_outer_vectorB2v6B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EEd.exit225.i: ; preds = %B254.i212.i
  %.325.i218.i = tail call double @llvm.sqrt.f64(double %most.3.1.i216.i)
  %.333.i219.i = fdiv double %best.3.sroa.0.1.i215.i, %.325.i218.i
  %.339.i220.i = fdiv double %best.3.sroa.8.1.i214.i, %.325.i218.i
  %.347.i221.i = fdiv double %best.3.sroa.16.1.i213.i, %.325.i218.i
  %.653.i = fcmp olt double %.398.i, %.402.i
  %.657.i = fcmp olt double %.398.i, %.404.i
  %or.cond156.i = select i1 %.653.i, i1 %.657.i, i1 false
  br i1 %or.cond156.i, label %_ZN6models6points12fpfh_kernels9_flattestB2v2B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EE.exit, label %B1040.i

B1040.i:                                          ; preds = %_ZN6models6points12fpfh_kernels13_outer_vectorB2v6B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EEd.exit225.i
  call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(24) %.676.i, i8 0, i64 24, i1 false), !noalias !0
  call fastcc void @_ZN6models6points12fpfh_kernels14_middle_vectorB2v9B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EE8UniTupleIdLi3EEd(ptr %.676.i, double %.115.i, double %.123.i, double %.131.i, double %.148.i, double %.156.i, double %.164.i, double %.333.i219.i, double %.339.i220.i, double %.347.i221.i, double %.402.i)
  %.699.fca.0.load.i = load double, ptr %.676.i, align 8, !noalias !0
  %.699.fca.1.load.i = load double, ptr %.fca.1.gep20.i, align 8, !noalias !0
  %.699.fca.2.load.i = load double, ptr %.fca.2.gep21.i, align 8, !noalias !0
  %.716.i = fcmp olt double %.402.i, %.398.i
  %.722.i = fcmp olt double %.402.i, %.404.i
  %or.cond157.i = select i1 %.716.i, i1 %.722.i, i1 false
  br i1 %or.cond157.i, label %_ZN6models6points12fpfh_kernels9_flattestB2v2B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EE.exit, label %B1102.i

B1102.i:                                          ; preds = %B1040.i
  %.18.i226.i = fmul double %.339.i220.i, %.699.fca.2.load.i
  %.21.i227.i = fmul double %.347.i221.i, %.699.fca.1.load.i
  %.22.i228.i = fsub double %.18.i226.i, %.21.i227.i
  %.25.i229.i = fmul double %.347.i221.i, %.699.fca.0.load.i
  %.28.i230.i = fmul double %.333.i219.i, %.699.fca.2.load.i
  %.29.i231.i = fsub double %.25.i229.i, %.28.i230.i
  %.32.i232.i = fmul double %.333.i219.i, %.699.fca.1.load.i
  %.35.i233.i = fmul double %.339.i220.i, %.699.fca.0.load.i
  %.36.i234.i = fsub double %.32.i232.i, %.35.i233.i
  br label %_ZN6models6points12fpfh_kernels9_flattestB2v2B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EE.exit

_ZN6models6points12fpfh_kernels9_flattestB2v2B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EE.exit: ; preds = %B1040.i, %B1102.i, %_ZN6models6points12fpfh_kernels13_outer_vectorB2v6B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EEd.exit225.i, %B886.i, %B948.i, %_ZN6models6points12fpfh_kernels13_outer_vectorB2v6B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EEd.exit.i, %B184.i, %B354, %B212.i
  %.491.sroa.0.0 = phi double [ 0.000000e+00, %B212.i ], [ %.528.fca.0.load.i, %B886.i ], [ %.333.i219.i, %_ZN6models6points12fpfh_kernels13_outer_vectorB2v6B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EEd.exit225.i ], [ 1.000000e+00, %B184.i ], [ %.333.i.i, %_ZN6models6points12fpfh_kernels13_outer_vectorB2v6B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EEd.exit.i ], [ 0.000000e+00, %B354 ], [ %.22.i163.i, %B948.i ], [ %.22.i228.i, %B1102.i ], [ %.699.fca.0.load.i, %B1040.i ]
  %.491.sroa.10.0 = phi double [ %"$phi242.0.2.sroa.8.0.i", %B212.i ], [ %.528.fca.1.load.i, %B886.i ], [ %.339.i220.i, %_ZN6models6points12fpfh_kernels13_outer_vectorB2v6B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EEd.exit225.i ], [ 0.000000e+00, %B184.i ], [ %.339.i.i, %_ZN6models6points12fpfh_kernels13_outer_vectorB2v6B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EEd.exit.i ], [ 0.000000e+00, %B354 ], [ %.29.i166.i, %B948.i ], [ %.29.i231.i, %B1102.i ], [ %.699.fca.1.load.i, %B1040.i ]
  %.491.sroa.19.0 = phi double [ %"$phi242.0.2.sroa.16.0.i", %B212.i ], [ %.528.fca.2.load.i, %B886.i ], [ %.347.i221.i, %_ZN6models6points12fpfh_kernels13_outer_vectorB2v6B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EEd.exit225.i ], [ 0.000000e+00, %B184.i ], [ %.347.i.i, %_ZN6models6points12fpfh_kernels13_outer_vectorB2v6B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EEd.exit.i ], [ 1.000000e+00, %B354 ], [ %.36.i.i, %B948.i ], [ %.36.i234.i, %B1102.i ], [ %.699.fca.2.load.i, %B1040.i ]
  call void @llvm.lifetime.end.p0(ptr nonnull %.505.i)
  call void @llvm.lifetime.end.p0(ptr nonnull %.676.i)
  br label %B594

B594:                                             ; preds = %_ZN6models6points12fpfh_kernels9_flattestB2v2B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EE.exit, %B326
  %normal.3.sroa.30.1 = phi double [ %.491.sroa.19.0, %_ZN6models6points12fpfh_kernels9_flattestB2v2B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EE.exit ], [ 1.000000e+00, %B326 ]
  %normal.3.sroa.15.1 = phi double [ %.491.sroa.10.0, %_ZN6models6points12fpfh_kernels9_flattestB2v2B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EE.exit ], [ 0.000000e+00, %B326 ]
  %normal.3.sroa.0.1 = phi double [ %.491.sroa.0.0, %_ZN6models6points12fpfh_kernels9_flattestB2v2B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EE.exit ], [ 0.000000e+00, %B326 ]
  br i1 %.547.not, label %B732, label %B598

B598:                                             ; preds = %B594
  %.555 = getelementptr double, ptr %arg.xs, i64 %.58.0164
  %.556 = load double, ptr %.555, align 8
  %.559 = getelementptr double, ptr %arg.ys, i64 %.58.0164
  %.560 = load double, ptr %.559, align 8
  %.563 = getelementptr double, ptr %arg.zs, i64 %.58.0164
  %.564 = load double, ptr %.563, align 8
  %.18.i = fmul double %normal.3.sroa.0.1, %.556
  %.21.i = fmul double %normal.3.sroa.15.1, %.560
  %.22.i = fadd double %.18.i, %.21.i
  %.25.i = fmul double %normal.3.sroa.30.1, %.564
  %.26.i = fadd double %.22.i, %.25.i
  %.600 = fcmp ogt double %.26.i, 0.000000e+00
  br i1 %.600, label %B680, label %B732

B680:                                             ; preds = %B598
  %.604 = fneg double %normal.3.sroa.0.1
  %.607 = fneg double %normal.3.sroa.15.1
  %.612 = fneg double %normal.3.sroa.30.1
  br label %B732

B732:                                             ; preds = %B598, %B680, %B594
  %normal.4.sroa.20.1 = phi double [ %.612, %B680 ], [ %normal.3.sroa.30.1, %B598 ], [ %normal.3.sroa.30.1, %B594 ]
  %normal.4.sroa.10.1 = phi double [ %.607, %B680 ], [ %normal.3.sroa.15.1, %B598 ], [ %normal.3.sroa.15.1, %B594 ]
  %normal.4.sroa.0.1 = phi double [ %.604, %B680 ], [ %normal.3.sroa.0.1, %B598 ], [ %normal.3.sroa.0.1, %B594 ]
  %.629 = getelementptr double, ptr %arg.across, i64 %.58.0164
  store double %normal.4.sroa.0.1, ptr %.629, align 8
  %.633 = getelementptr double, ptr %arg.down, i64 %.58.0164
  store double %normal.4.sroa.10.1, ptr %.633, align 8
  %.637 = getelementptr double, ptr %arg.along, i64 %.58.0164
  store double %normal.4.sroa.20.1, ptr %.637, align 8
  %.117 = icmp sgt i64 %.61.0163, 1
  br i1 %.117, label %B36.if, label %B766

B766:                                             ; preds = %B732, %entry
  store ptr null, ptr %retptr, align 8
  ret i32 0

B36.if:                                           ; preds = %B36.if.lr.ph, %B732
  %.58.0164 = phi i64 [ 0, %B36.if.lr.ph ], [ %.130, %B732 ]
  %.61.0163 = phi i64 [ %arg.n, %B36.if.lr.ph ], [ %.126, %B732 ]
  %.126 = add nsw i64 %.61.0163, -1
  %.130 = add nuw nsw i64 %.58.0164, 1
  %.187 = getelementptr i32, ptr %arg.held, i64 %.58.0164
  %.188 = load i32, ptr %.187, align 4
  %.268142.not = icmp slt i32 %.188, 1
  br i1 %.268142.not, label %B326, label %B118.if.lr.ph

B118.if.lr.ph:                                    ; preds = %B36.if
  %.308 = mul nsw i64 %.58.0164, %arg.most
  %1 = getelementptr i32, ptr %arg.index, i64 %.308
  br label %B118.if

B118.if:                                          ; preds = %B118.if.lr.ph, %B118.if
  %zz.2.1153 = phi double [ 0.000000e+00, %B118.if.lr.ph ], [ %.361, %B118.if ]
  %yz.2.1152 = phi double [ 0.000000e+00, %B118.if.lr.ph ], [ %.358, %B118.if ]
  %yy.2.1151 = phi double [ 0.000000e+00, %B118.if.lr.ph ], [ %.355, %B118.if ]
  %xz.2.1150 = phi double [ 0.000000e+00, %B118.if.lr.ph ], [ %.346, %B118.if ]
  %xy.2.1149 = phi double [ 0.000000e+00, %B118.if.lr.ph ], [ %.343, %B118.if ]
  %xx.2.1148 = phi double [ 0.000000e+00, %B118.if.lr.ph ], [ %.340, %B118.if ]
  %z.3.1147 = phi double [ 0.000000e+00, %B118.if.lr.ph ], [ %.331, %B118.if ]
  %y.3.1146 = phi double [ 0.000000e+00, %B118.if.lr.ph ], [ %.329, %B118.if ]
  %x.3.1145 = phi double [ 0.000000e+00, %B118.if.lr.ph ], [ %.327, %B118.if ]
  %.215.0144 = phi i32 [ %.188, %B118.if.lr.ph ], [ %.277, %B118.if ]
  %.212.0143 = phi i32 [ 0, %B118.if.lr.ph ], [ %.281, %B118.if ]
  %.277 = add nsw i32 %.215.0144, -1
  %.281 = add nuw nsw i32 %.212.0143, 1
  %.309 = zext nneg i32 %.212.0143 to i64
  %.312 = getelementptr i32, ptr %1, i64 %.309
  %.313 = load i32, ptr %.312, align 4
  %.315 = sext i32 %.313 to i64
  %.316 = getelementptr double, ptr %arg.xs, i64 %.315
  %.317 = load double, ptr %.316, align 8
  %.320 = getelementptr double, ptr %arg.ys, i64 %.315
  %.321 = load double, ptr %.320, align 8
  %.324 = getelementptr double, ptr %arg.zs, i64 %.315
  %.325 = load double, ptr %.324, align 8
  %.327 = fadd double %x.3.1145, %.317
  %.329 = fadd double %y.3.1146, %.321
  %.331 = fadd double %z.3.1147, %.325
  %.338 = fmul double %.317, %.317
  %.340 = fadd double %xx.2.1148, %.338
  %.341 = fmul double %.317, %.321
  %.343 = fadd double %xy.2.1149, %.341
  %.344 = fmul double %.317, %.325
  %.346 = fadd double %xz.2.1150, %.344
  %.353 = fmul double %.321, %.321
  %.355 = fadd double %yy.2.1151, %.353
  %.356 = fmul double %.321, %.325
  %.358 = fadd double %yz.2.1152, %.356
  %.359 = fmul double %.325, %.325
  %.361 = fadd double %zz.2.1153, %.359
  %.268 = icmp sgt i32 %.215.0144, 1
  br i1 %.268, label %B118.if, label %B326
}

; Function Attrs: mustprogress nofree norecurse nosync nounwind willreturn memory(argmem: write)
define internal fastcc void @_ZN6models6points12fpfh_kernels14_middle_vectorB2v9B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EE8UniTupleIdLi3EEd(ptr noalias nonnull writeonly captures(none) initializes((0, 24)) %retptr, double %arg.matrix.0, double %arg.matrix.1, double %arg.matrix.2, double %arg.matrix.3, double %arg.matrix.4, double %arg.matrix.5, double %arg.outer.0, double %arg.outer.1, double %arg.outer.2, double %arg.value) unnamed_addr #1 {
entry:
  %.31 = tail call double @llvm.fabs.f64(double %arg.outer.0)
  %.34 = tail call double @llvm.fabs.f64(double %arg.outer.1)
  %.35 = fcmp ogt double %.31, %.34
  %.46 = fmul double %arg.outer.2, %arg.outer.2
  br i1 %.35, label %B92, label %B254

B92:                                              ; preds = %entry
  %.41 = fmul double %arg.outer.0, %arg.outer.0
  %.47 = fadd double %.41, %.46
  %.48 = tail call double @llvm.sqrt.f64(double %.47)
  %.53 = fdiv double 1.000000e+00, %.48
  %.56 = fneg double %arg.outer.2
  %.57 = fmul double %.53, %.56
  %.60 = fmul double %arg.outer.0, %.53
  br label %B414

B254:                                             ; preds = %entry
  %.72 = fmul double %arg.outer.1, %arg.outer.1
  %.78 = fadd double %.72, %.46
  %.79 = tail call double @llvm.sqrt.f64(double %.78)
  %.84 = fdiv double 1.000000e+00, %.79
  %.87 = fmul double %arg.outer.2, %.84
  %.90 = fneg double %arg.outer.1
  %.91 = fmul double %.84, %.90
  br label %B414

B414:                                             ; preds = %B254, %B92
  %u.2.sroa.34.0 = phi double [ %.60, %B92 ], [ %.91, %B254 ]
  %u.2.sroa.17.0 = phi double [ 0.000000e+00, %B92 ], [ %.87, %B254 ]
  %u.2.sroa.0.0 = phi double [ %.57, %B92 ], [ 0.000000e+00, %B254 ]
  %.18.i = fmul double %arg.outer.1, %u.2.sroa.34.0
  %.21.i = fmul double %arg.outer.2, %u.2.sroa.17.0
  %.22.i = fsub double %.18.i, %.21.i
  %.25.i = fmul double %arg.outer.2, %u.2.sroa.0.0
  %.28.i = fmul double %arg.outer.0, %u.2.sroa.34.0
  %.29.i = fsub double %.25.i, %.28.i
  %.32.i = fmul double %arg.outer.0, %u.2.sroa.17.0
  %.35.i = fmul double %arg.outer.1, %u.2.sroa.0.0
  %.36.i = fsub double %.32.i, %.35.i
  %.18.i.i = fmul double %arg.matrix.0, %.22.i
  %.21.i.i = fmul double %arg.matrix.1, %.29.i
  %.22.i.i = fadd double %.18.i.i, %.21.i.i
  %.25.i.i = fmul double %arg.matrix.2, %.36.i
  %.26.i.i = fadd double %.25.i.i, %.22.i.i
  %.18.i7.i = fmul double %arg.matrix.1, %.22.i
  %.21.i8.i = fmul double %arg.matrix.3, %.29.i
  %.22.i9.i = fadd double %.18.i7.i, %.21.i8.i
  %.25.i10.i = fmul double %arg.matrix.4, %.36.i
  %.26.i11.i = fadd double %.25.i10.i, %.22.i9.i
  %.18.i12.i = fmul double %arg.matrix.2, %.22.i
  %.21.i13.i = fmul double %arg.matrix.4, %.29.i
  %.22.i14.i = fadd double %.18.i12.i, %.21.i13.i
  %.25.i15.i = fmul double %arg.matrix.5, %.36.i
  %.26.i16.i = fadd double %.25.i15.i, %.22.i14.i
  %.18.i72 = fmul double %u.2.sroa.0.0, %.26.i.i
  %.21.i73 = fmul double %u.2.sroa.17.0, %.26.i11.i
  %.22.i74 = fadd double %.18.i72, %.21.i73
  %.25.i75 = fmul double %u.2.sroa.34.0, %.26.i16.i
  %.26.i = fadd double %.25.i75, %.22.i74
  %.18.i.i76 = fmul double %arg.matrix.0, %u.2.sroa.0.0
  %.21.i.i77 = fmul double %arg.matrix.1, %u.2.sroa.17.0
  %.22.i.i78 = fadd double %.21.i.i77, %.18.i.i76
  %.25.i.i79 = fmul double %arg.matrix.2, %u.2.sroa.34.0
  %.26.i.i80 = fadd double %.25.i.i79, %.22.i.i78
  %.18.i7.i81 = fmul double %arg.matrix.1, %u.2.sroa.0.0
  %.21.i8.i82 = fmul double %arg.matrix.3, %u.2.sroa.17.0
  %.22.i9.i83 = fadd double %.21.i8.i82, %.18.i7.i81
  %.25.i10.i84 = fmul double %arg.matrix.4, %u.2.sroa.34.0
  %.26.i11.i85 = fadd double %.25.i10.i84, %.22.i9.i83
  %.18.i12.i86 = fmul double %arg.matrix.2, %u.2.sroa.0.0
  %.21.i13.i87 = fmul double %arg.matrix.4, %u.2.sroa.17.0
  %.22.i14.i88 = fadd double %.21.i13.i87, %.18.i12.i86
  %.25.i15.i89 = fmul double %arg.matrix.5, %u.2.sroa.34.0
  %.26.i16.i90 = fadd double %.25.i15.i89, %.22.i14.i88
  %.18.i93 = fmul double %u.2.sroa.0.0, %.26.i.i80
  %.21.i94 = fmul double %u.2.sroa.17.0, %.26.i11.i85
  %.22.i95 = fadd double %.18.i93, %.21.i94
  %.25.i96 = fmul double %u.2.sroa.34.0, %.26.i16.i90
  %.26.i97 = fadd double %.25.i96, %.22.i95
  %.278 = fsub double %.26.i97, %arg.value
  %.18.i115 = fmul double %.22.i, %.26.i.i
  %.21.i116 = fmul double %.29.i, %.26.i11.i
  %.22.i117 = fadd double %.18.i115, %.21.i116
  %.25.i118 = fmul double %.36.i, %.26.i16.i
  %.26.i119 = fadd double %.25.i118, %.22.i117
  %.350 = fsub double %.26.i119, %arg.value
  %.360 = tail call double @llvm.fabs.f64(double %.278)
  %.362 = tail call double @llvm.fabs.f64(double %.350)
  %.363 = fcmp oge double %.360, %.362
  %"$phi712.0.2.0" = select i1 %.363, double %.278, double %.350
  %.394 = fcmp oeq double %"$phi712.0.2.0", 0.000000e+00
  %.398 = fcmp oeq double %.26.i, 0.000000e+00
  %or.cond = select i1 %.394, i1 %.398, i1 false
  br i1 %or.cond, label %common.ret, label %B742

common.ret:                                       ; preds = %B414, %B964
  %.509.sink = phi double [ %.509, %B964 ], [ %u.2.sroa.0.0, %B414 ]
  %.516.sink = phi double [ %.516, %B964 ], [ %u.2.sroa.17.0, %B414 ]
  %.527.sink = phi double [ %.527, %B964 ], [ %u.2.sroa.34.0, %B414 ]
  store double %.509.sink, ptr %retptr, align 8
  %retptr.repack63 = getelementptr inbounds nuw i8, ptr %retptr, i64 8
  store double %.516.sink, ptr %retptr.repack63, align 8
  %retptr.repack65 = getelementptr inbounds nuw i8, ptr %retptr, i64 16
  store double %.527.sink, ptr %retptr.repack65, align 8
  ret void

B742:                                             ; preds = %B414
  %.414 = tail call double @llvm.fabs.f64(double %"$phi712.0.2.0")
  %.416 = tail call double @llvm.fabs.f64(double %.26.i)
  %.417 = fcmp ult double %.414, %.416
  br i1 %.417, label %B886, label %B806

B806:                                             ; preds = %B742
  %.424 = fdiv double %.26.i, %"$phi712.0.2.0"
  %.429 = fmul double %.424, %.424
  %.431 = fadd double %.429, 1.000000e+00
  %.432 = tail call double @llvm.sqrt.f64(double %.431)
  %.437 = fdiv double 1.000000e+00, %.432
  %.441 = fmul double %.424, %.437
  br label %B964

B886:                                             ; preds = %B742
  %.451 = fdiv double %"$phi712.0.2.0", %.26.i
  %.456 = fmul double %.451, %.451
  %.458 = fadd double %.456, 1.000000e+00
  %.459 = tail call double @llvm.sqrt.f64(double %.458)
  %.464 = fdiv double 1.000000e+00, %.459
  %.467 = fmul double %.451, %.464
  br label %B964

B964:                                             ; preds = %B886, %B806
  %pure.4.0 = phi double [ %.437, %B806 ], [ %.467, %B886 ]
  %mixed.4.0 = phi double [ %.441, %B806 ], [ %.464, %B886 ]
  %pure.4.0.mixed.4.0 = select i1 %.363, double %pure.4.0, double %mixed.4.0
  %mixed.4.0.pure.4.0 = select i1 %.363, double %mixed.4.0, double %pure.4.0
  %.505 = fmul double %u.2.sroa.0.0, %mixed.4.0.pure.4.0
  %.508 = fmul double %.22.i, %pure.4.0.mixed.4.0
  %.509 = fsub double %.505, %.508
  %.512 = fmul double %u.2.sroa.17.0, %mixed.4.0.pure.4.0
  %.515 = fmul double %.29.i, %pure.4.0.mixed.4.0
  %.516 = fsub double %.512, %.515
  %.521 = fmul double %u.2.sroa.34.0, %mixed.4.0.pure.4.0
  %.526 = fmul double %.36.i, %pure.4.0.mixed.4.0
  %.527 = fsub double %.521, %.526
  br label %common.ret
}

; Function Attrs: mustprogress nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.sqrt.f64(double) #2

; Function Attrs: mustprogress nocallback nofree nosync nounwind willreturn memory(none)
declare double @acos(double) local_unnamed_addr #3

; Function Attrs: mustprogress nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.cos.f64(double) #2

; Function Attrs: mustprogress nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.fabs.f64(double) #2

; Function Attrs: nofree norecurse nosync nounwind memory(argmem: readwrite)
define range(i32 0, 2) i32 @simple(ptr noalias writeonly captures(none) %retptr, ptr noalias writeonly captures(none) %excinfo, i64 %arg.n, i64 %arg.most, ptr noalias readonly captures(none) %arg.xs, ptr noalias readonly captures(none) %arg.ys, ptr noalias readonly captures(none) %arg.zs, ptr noalias readonly captures(none) %arg.across, ptr noalias readonly captures(none) %arg.down, ptr noalias readonly captures(none) %arg.along, ptr noalias readonly captures(none) %arg.index, ptr noalias readonly captures(none) %arg.held, ptr noalias captures(none) %arg.histograms, ptr noalias captures(none) %arg.ups, ptr noalias captures(none) %arg.aheads, ptr noalias captures(none) %arg.sides, ptr noalias captures(none) %arg.leans) local_unnamed_addr #0 {
entry:
  %.129210.not = icmp slt i64 %arg.n, 1
  br i1 %.129210.not, label %B1026, label %B36.if

B34.loopexit:                                     ; preds = %_ZN6models6points12fpfh_kernels4_binB3v15B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEd.exit201, %B576.preheader
  %excinfo.3.1.lcssa = phi ptr [ %excinfo.3.0211, %B576.preheader ], [ %excinfo.3.2, %_ZN6models6points12fpfh_kernels4_binB3v15B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEd.exit201 ]
  %.129 = icmp sgt i64 %.73.0212, 1
  br i1 %.129, label %B36.if, label %B1026

B576.preheader:                                   ; preds = %_ZN6models6points12fpfh_kernels5_seenB3v13B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi3EE8UniTupleIdLi3EE8UniTupleIdLi3EEb.exit, %B36.if
  %.613206 = icmp sgt i64 %storemerge187, 0
  br i1 %.613206, label %B576.if.lr.ph, label %B34.loopexit

B576.if.lr.ph:                                    ; preds = %B576.preheader
  %.708 = sitofp i64 %.256 to double
  %.712 = fdiv double 1.000000e+02, %.708
  %.idx = mul i64 %.70.0213, 264
  %0 = getelementptr i8, ptr %arg.histograms, i64 %.idx
  %1 = getelementptr i8, ptr %0, i64 88
  %2 = getelementptr i8, ptr %0, i64 176
  br label %B576.if

B690:                                             ; preds = %B576.if
  br label %B704

B704:                                             ; preds = %B690, %B576.if
  %up.2.2 = phi double [ 0.000000e+00, %B690 ], [ %.653, %B576.if ]
  %ahead.2.2 = phi double [ 1.000000e+00, %B690 ], [ %.656, %B576.if ]
  %side.2.2 = phi double [ 0.000000e+00, %B690 ], [ %.659, %B576.if ]
  %lean.2.2 = phi double [ 0.000000e+00, %B690 ], [ %.662, %B576.if ]
  %.11.i = tail call double @llvm.fabs.f64(double %up.2.2)
  %.16.i = fmul double %ahead.2.2, 0x3FD2CAC6C61A3287
  %.18.i = fcmp olt double %.11.i, %.16.i
  br i1 %.18.i, label %_ZN6models6points12fpfh_kernels12_bin_of_turnB3v14B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEdd.exit, label %B82.i

B82.i:                                            ; preds = %B704
  %.69.i = tail call double @llvm.fabs.f64(double %ahead.2.2)
  %.71.i = fadd double %.11.i, %.69.i
  %.72.i = fmul double %.71.i, 1.000000e-13
  br label %B184.if.i

B292.i:                                           ; preds = %switch.lookup
  %.308.i = tail call double @atan2(double %up.2.2, double %ahead.2.2)
  %.313.i = fadd double %.308.i, 0x400921FB54442D18
  %.315.i = fmul double %.313.i, 1.100000e+01
  %.320.i = fdiv double %.315.i, 0x401921FB54442D18
  %.9.i.i = fcmp ogt double %.320.i, 0.000000e+00
  br i1 %.9.i.i, label %B20.i.i, label %_ZN6models6points12fpfh_kernels12_bin_of_turnB3v14B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEdd.exit

B20.i.i:                                          ; preds = %B292.i
  %.17.i.i = fcmp olt double %.320.i, 1.100000e+01
  br i1 %.17.i.i, label %B42.i.i, label %_ZN6models6points12fpfh_kernels12_bin_of_turnB3v14B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEdd.exit

B42.i.i:                                          ; preds = %B20.i.i
  %.5.i.i.i = fptosi double %.320.i to i64
  br label %_ZN6models6points12fpfh_kernels12_bin_of_turnB3v14B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEdd.exit

B438.i:                                           ; preds = %switch.lookup
  %.349.i = fcmp ogt double %.286.i, 0.000000e+00
  %.354.i = zext i1 %.349.i to i64
  %.355.i = add nuw nsw i64 %passed.2.058.i, %.354.i
  %.200.i = icmp samesign ugt i64 %.145.056.i, 1
  br i1 %.200.i, label %B184.if.i, label %B458.i

B458.i:                                           ; preds = %B438.i
  %.370.i = tail call double @llvm.copysign.f64(double 1.000000e+00, double %up.2.2)
  %.374.i = fcmp ogt double %.370.i, 0.000000e+00
  %3 = sub nsw i64 0, %.355.i
  %"$phi558.0.2.0.p.i" = select i1 %.374.i, i64 %.355.i, i64 %3
  %"$phi558.0.2.0.i" = add i64 %"$phi558.0.2.0.p.i", 5
  br label %_ZN6models6points12fpfh_kernels12_bin_of_turnB3v14B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEdd.exit

B184.if.i:                                        ; preds = %B438.i, %B82.i
  %passed.2.058.i = phi i64 [ 0, %B82.i ], [ %.355.i, %B438.i ]
  %.142.057.i = phi i64 [ 0, %B82.i ], [ %.213.i, %B438.i ]
  %.145.056.i = phi i64 [ 5, %B82.i ], [ %.209.i, %B438.i ]
  %.209.i = add nsw i64 %.145.056.i, -1
  %.213.i = add nuw nsw i64 %.142.057.i, 1
  %trunc.i = trunc nuw i64 %.142.057.i to i63
  %4 = icmp ult i63 %trunc.i, 5
  br i1 %4, label %switch.lookup, label %_ZN6models6points12fpfh_kernels12_bin_of_turnB3v14B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEdd.exit

switch.lookup:                                    ; preds = %B184.if.i
  %switch.gep = getelementptr inbounds nuw double, ptr @switch.table.simple, i64 %.142.057.i
  %switch.load = load double, ptr %switch.gep, align 8
  %.261.i = fmul double %.11.i, %switch.load
  %switch.gep219 = getelementptr inbounds nuw double, ptr @switch.table.simple.13, i64 %.142.057.i
  %switch.load220 = load double, ptr %switch.gep219, align 8
  %.285.i = fmul double %ahead.2.2, %switch.load220
  %.286.i = fsub double %.261.i, %.285.i
  %.291.i = tail call double @llvm.fabs.f64(double %.286.i)
  %.293.i = fcmp ugt double %.291.i, %.72.i
  br i1 %.293.i, label %B438.i, label %B292.i

_ZN6models6points12fpfh_kernels12_bin_of_turnB3v14B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEdd.exit: ; preds = %B184.if.i, %B704, %B292.i, %B20.i.i, %B42.i.i, %B458.i
  %.716.0 = phi i64 [ 10, %B20.i.i ], [ 5, %B704 ], [ %.5.i.i.i, %B42.i.i ], [ %"$phi558.0.2.0.i", %B458.i ], [ 0, %B292.i ], [ 0, %B184.if.i ]
  %excinfo.3.2 = phi ptr [ %excinfo.3.1209, %B20.i.i ], [ %excinfo.3.1209, %B704 ], [ %excinfo.3.1209, %B42.i.i ], [ %excinfo.3.1209, %B458.i ], [ %excinfo.3.1209, %B292.i ], [ @.const.picklebuf.a832a7f8175c2530692ab82e581e246bf5646a28.2, %B184.if.i ]
  %.722.not = phi i1 [ true, %B20.i.i ], [ true, %B704 ], [ true, %B42.i.i ], [ true, %B458.i ], [ true, %B292.i ], [ false, %B184.if.i ]
  %common.ret.op.i = phi i32 [ 0, %B20.i.i ], [ 0, %B704 ], [ 0, %B42.i.i ], [ 0, %B458.i ], [ 0, %B292.i ], [ 1, %B184.if.i ]
  br i1 %.722.not, label %B704.endif.endif, label %B704.endif.if, !prof !3

common.ret:                                       ; preds = %B704.endif.if, %B1026
  %common.ret.op = phi i32 [ 0, %B1026 ], [ %common.ret.op.i, %B704.endif.if ]
  ret i32 %common.ret.op

B1026:                                            ; preds = %B34.loopexit, %entry
  store ptr null, ptr %retptr, align 8
  br label %common.ret

B36.if:                                           ; preds = %entry, %B34.loopexit
  %.70.0213 = phi i64 [ %.142, %B34.loopexit ], [ 0, %entry ]
  %.73.0212 = phi i64 [ %.138, %B34.loopexit ], [ %arg.n, %entry ]
  %excinfo.3.0211 = phi ptr [ %excinfo.3.1.lcssa, %B34.loopexit ], [ null, %entry ]
  %.138 = add nsw i64 %.73.0212, -1
  %.142 = add nuw nsw i64 %.70.0213, 1
  %.172 = getelementptr double, ptr %arg.across, i64 %.70.0213
  %.173 = load double, ptr %.172, align 8
  %.176 = getelementptr double, ptr %arg.down, i64 %.70.0213
  %.177 = load double, ptr %.176, align 8
  %.180 = getelementptr double, ptr %arg.along, i64 %.70.0213
  %.181 = load double, ptr %.180, align 8
  %.190 = getelementptr double, ptr %arg.xs, i64 %.70.0213
  %.191 = load double, ptr %.190, align 8
  %.194 = getelementptr double, ptr %arg.ys, i64 %.70.0213
  %.195 = load double, ptr %.194, align 8
  %.198 = getelementptr double, ptr %arg.zs, i64 %.70.0213
  %.199 = load double, ptr %.198, align 8
  %.217 = getelementptr i32, ptr %arg.held, i64 %.70.0213
  %.218 = load i32, ptr %.217, align 4
  %.219 = sext i32 %.218 to i64
  %.256 = add nsw i64 %.219, -1
  %.257 = icmp slt i32 %.218, 2
  %storemerge187 = select i1 %.257, i64 0, i64 %.256
  %.299203 = icmp sgt i64 %storemerge187, 0
  br i1 %.299203, label %B188.if.lr.ph, label %B576.preheader

B188.if.lr.ph:                                    ; preds = %B36.if
  %.211 = mul nsw i64 %.70.0213, %arg.most
  %5 = getelementptr i32, ptr %arg.index, i64 %.211
  br label %B188.if

B188.if:                                          ; preds = %B188.if.lr.ph, %_ZN6models6points12fpfh_kernels5_seenB3v13B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi3EE8UniTupleIdLi3EE8UniTupleIdLi3EEb.exit
  %.243.0205 = phi i64 [ 1, %B188.if.lr.ph ], [ %.312, %_ZN6models6points12fpfh_kernels5_seenB3v13B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi3EE8UniTupleIdLi3EE8UniTupleIdLi3EEb.exit ]
  %.246.0204 = phi i64 [ %storemerge187, %B188.if.lr.ph ], [ %.308, %_ZN6models6points12fpfh_kernels5_seenB3v13B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi3EE8UniTupleIdLi3EE8UniTupleIdLi3EEb.exit ]
  %.308 = add nsw i64 %.246.0204, -1
  %.312 = add nuw nsw i64 %.243.0205, 1
  %.344 = getelementptr i32, ptr %5, i64 %.243.0205
  %.345 = load i32, ptr %.344, align 4
  %.347 = sext i32 %.345 to i64
  %.348 = getelementptr double, ptr %arg.across, i64 %.347
  %.349 = load double, ptr %.348, align 8
  %.352 = getelementptr double, ptr %arg.down, i64 %.347
  %.353 = load double, ptr %.352, align 8
  %.356 = getelementptr double, ptr %arg.along, i64 %.347
  %.357 = load double, ptr %.356, align 8
  %.363 = getelementptr double, ptr %arg.xs, i64 %.347
  %.364 = load double, ptr %.363, align 8
  %.366 = fsub double %.364, %.191
  %.369 = getelementptr double, ptr %arg.ys, i64 %.347
  %.370 = load double, ptr %.369, align 8
  %.372 = fsub double %.370, %.195
  %.375 = getelementptr double, ptr %arg.zs, i64 %.347
  %.376 = load double, ptr %.375, align 8
  %.378 = fsub double %.376, %.199
  %.18.i.i = fmul double %.366, %.366
  %.21.i.i = fmul double %.372, %.372
  %.22.i.i = fadd double %.18.i.i, %.21.i.i
  %.25.i.i = fmul double %.378, %.378
  %.26.i.i = fadd double %.22.i.i, %.25.i.i
  %.55.i = tail call double @llvm.sqrt.f64(double %.26.i.i)
  %.18.i5.i = fmul double %.173, %.366
  %.21.i6.i = fmul double %.177, %.372
  %.22.i7.i = fadd double %.18.i5.i, %.21.i6.i
  %.25.i8.i = fmul double %.181, %.378
  %.26.i9.i = fadd double %.22.i7.i, %.25.i8.i
  %.18.i10.i = fmul double %.349, %.366
  %.21.i11.i = fmul double %.353, %.372
  %.22.i12.i = fadd double %.18.i10.i, %.21.i11.i
  %.25.i13.i = fmul double %.357, %.378
  %.26.i14.i = fadd double %.22.i12.i, %.25.i13.i
  %.90.i = fdiv double %.26.i9.i, %.55.i
  %.125.i = fdiv double %.26.i14.i, %.55.i
  %.426 = tail call double @llvm.fabs.f64(double %.90.i)
  %.428 = tail call double @llvm.fabs.f64(double %.125.i)
  %.429 = fcmp uge double %.426, %.428
  br i1 %.429, label %B16.i, label %_ZN6models6points12fpfh_kernels5_seenB3v13B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi3EE8UniTupleIdLi3EE8UniTupleIdLi3EEb.exit

B16.i:                                            ; preds = %B188.if
  br label %_ZN6models6points12fpfh_kernels5_seenB3v13B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi3EE8UniTupleIdLi3EE8UniTupleIdLi3EEb.exit

_ZN6models6points12fpfh_kernels5_seenB3v13B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi3EE8UniTupleIdLi3EE8UniTupleIdLi3EEb.exit: ; preds = %B188.if, %B16.i
  %"$phi22.0.2.sroa.40.0.i" = phi double [ %.357, %B16.i ], [ %.181, %B188.if ]
  %"$phi22.0.2.sroa.32.0.i" = phi double [ %.353, %B16.i ], [ %.177, %B188.if ]
  %"$phi22.0.2.sroa.24.0.i" = phi double [ %.349, %B16.i ], [ %.173, %B188.if ]
  %"$phi22.0.2.sroa.16.0.i" = phi double [ %.181, %B16.i ], [ %.357, %B188.if ]
  %"$phi22.0.2.sroa.8.0.i" = phi double [ %.177, %B16.i ], [ %.353, %B188.if ]
  %"$phi22.0.2.sroa.0.0.i" = phi double [ %.173, %B16.i ], [ %.349, %B188.if ]
  %.82.i = fneg double %.366
  %.85.i = fneg double %.372
  %.90.i189 = fneg double %.378
  %"$phi88.0.2.sroa.16.0.i" = select i1 %.429, double %.378, double %.90.i189
  %"$phi88.0.2.sroa.8.0.i" = select i1 %.429, double %.372, double %.85.i
  %"$phi88.0.2.sroa.0.0.i" = select i1 %.429, double %.366, double %.82.i
  %.18.i.i190 = fmul double %"$phi88.0.2.sroa.8.0.i", %"$phi22.0.2.sroa.16.0.i"
  %.21.i.i191 = fmul double %"$phi88.0.2.sroa.16.0.i", %"$phi22.0.2.sroa.8.0.i"
  %.22.i.i192 = fsub double %.18.i.i190, %.21.i.i191
  %.25.i.i193 = fmul double %"$phi88.0.2.sroa.16.0.i", %"$phi22.0.2.sroa.0.0.i"
  %.28.i.i = fmul double %"$phi88.0.2.sroa.0.0.i", %"$phi22.0.2.sroa.16.0.i"
  %.29.i.i = fsub double %.25.i.i193, %.28.i.i
  %.32.i.i = fmul double %"$phi88.0.2.sroa.0.0.i", %"$phi22.0.2.sroa.8.0.i"
  %.35.i.i = fmul double %"$phi88.0.2.sroa.8.0.i", %"$phi22.0.2.sroa.0.0.i"
  %.36.i.i = fsub double %.32.i.i, %.35.i.i
  %.18.i70.i = fmul double %.22.i.i192, %.22.i.i192
  %.21.i71.i = fmul double %.29.i.i, %.29.i.i
  %.22.i72.i = fadd double %.18.i70.i, %.21.i71.i
  %.25.i73.i = fmul double %.36.i.i, %.36.i.i
  %.26.i.i194 = fadd double %.25.i73.i, %.22.i72.i
  %.172.i = tail call double @llvm.sqrt.f64(double %.26.i.i194)
  %.177.i = fdiv double %.22.i.i192, %.172.i
  %.182.i = fdiv double %.29.i.i, %.172.i
  %.187.i = fdiv double %.36.i.i, %.172.i
  %.18.i74.i = fmul double %"$phi22.0.2.sroa.8.0.i", %.187.i
  %.21.i75.i = fmul double %"$phi22.0.2.sroa.16.0.i", %.182.i
  %.22.i76.i = fsub double %.18.i74.i, %.21.i75.i
  %.25.i77.i = fmul double %"$phi22.0.2.sroa.16.0.i", %.177.i
  %.28.i78.i = fmul double %"$phi22.0.2.sroa.0.0.i", %.187.i
  %.29.i79.i = fsub double %.25.i77.i, %.28.i78.i
  %.32.i80.i = fmul double %"$phi22.0.2.sroa.0.0.i", %.182.i
  %.35.i81.i = fmul double %"$phi22.0.2.sroa.8.0.i", %.177.i
  %.36.i82.i = fsub double %.32.i80.i, %.35.i81.i
  %.18.i85.i = fmul double %"$phi22.0.2.sroa.24.0.i", %.22.i76.i
  %.21.i86.i = fmul double %"$phi22.0.2.sroa.32.0.i", %.29.i79.i
  %.22.i87.i = fadd double %.18.i85.i, %.21.i86.i
  %.25.i88.i = fmul double %"$phi22.0.2.sroa.40.0.i", %.36.i82.i
  %.26.i89.i = fadd double %.25.i88.i, %.22.i87.i
  %.18.i90.i = fmul double %.173, %.349
  %.21.i91.i = fmul double %.177, %.353
  %.22.i92.i = fadd double %.18.i90.i, %.21.i91.i
  %.25.i93.i = fmul double %.181, %.357
  %.26.i94.i = fadd double %.22.i92.i, %.25.i93.i
  %.18.i95.i = fmul double %"$phi22.0.2.sroa.24.0.i", %.177.i
  %.21.i96.i = fmul double %"$phi22.0.2.sroa.32.0.i", %.182.i
  %.22.i97.i = fadd double %.18.i95.i, %.21.i96.i
  %.25.i98.i = fmul double %"$phi22.0.2.sroa.40.0.i", %.187.i
  %.26.i99.i = fadd double %.25.i98.i, %.22.i97.i
  %.471 = getelementptr double, ptr %arg.ups, i64 %.243.0205
  store double %.26.i89.i, ptr %.471, align 8
  %.475 = getelementptr double, ptr %arg.aheads, i64 %.243.0205
  store double %.26.i94.i, ptr %.475, align 8
  %.479 = getelementptr double, ptr %arg.sides, i64 %.243.0205
  store double %.26.i99.i, ptr %.479, align 8
  %.485 = fneg double %.125.i
  %"$phi502.2.2.2" = select i1 %.429, double %.90.i, double %.485
  %.503 = getelementptr double, ptr %arg.leans, i64 %.243.0205
  store double %"$phi502.2.2.2", ptr %.503, align 8
  %.299 = icmp sgt i64 %.246.0204, 1
  br i1 %.299, label %B188.if, label %B576.preheader

B576.if:                                          ; preds = %B576.if.lr.ph, %_ZN6models6points12fpfh_kernels4_binB3v15B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEd.exit201
  %excinfo.3.1209 = phi ptr [ %excinfo.3.0211, %B576.if.lr.ph ], [ %excinfo.3.2, %_ZN6models6points12fpfh_kernels4_binB3v15B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEd.exit201 ]
  %.560.0208 = phi i64 [ %storemerge187, %B576.if.lr.ph ], [ %.622, %_ZN6models6points12fpfh_kernels4_binB3v15B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEd.exit201 ]
  %.557.0207 = phi i64 [ 1, %B576.if.lr.ph ], [ %.626, %_ZN6models6points12fpfh_kernels4_binB3v15B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEd.exit201 ]
  %.622 = add nsw i64 %.560.0208, -1
  %.626 = add nuw nsw i64 %.557.0207, 1
  %.652 = getelementptr double, ptr %arg.ups, i64 %.557.0207
  %.653 = load double, ptr %.652, align 8
  %.655 = getelementptr double, ptr %arg.aheads, i64 %.557.0207
  %.656 = load double, ptr %.655, align 8
  %.658 = getelementptr double, ptr %arg.sides, i64 %.557.0207
  %.659 = load double, ptr %.658, align 8
  %.661 = getelementptr double, ptr %arg.leans, i64 %.557.0207
  %.662 = load double, ptr %.661, align 8
  %.683 = fcmp uno double %.659, 0.000000e+00
  br i1 %.683, label %B690, label %B704

B704.endif.if:                                    ; preds = %_ZN6models6points12fpfh_kernels12_bin_of_turnB3v14B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEdd.exit
  store ptr %excinfo.3.2, ptr %excinfo, align 8
  br label %common.ret

B704.endif.endif:                                 ; preds = %_ZN6models6points12fpfh_kernels12_bin_of_turnB3v14B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEdd.exit
  %.747 = getelementptr double, ptr %0, i64 %.716.0
  %.748 = load double, ptr %.747, align 8
  %.749 = fadd double %.712, %.748
  store double %.749, ptr %.747, align 8
  %.757 = fadd double %side.2.2, 1.000000e+00
  %.761 = fmul double %.757, 1.100000e+01
  %.762 = fmul double %.761, 5.000000e-01
  %.9.i = fcmp ogt double %.762, 0.000000e+00
  br i1 %.9.i, label %B20.i, label %_ZN6models6points12fpfh_kernels4_binB3v15B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEd.exit

B20.i:                                            ; preds = %B704.endif.endif
  %.17.i = fcmp olt double %.762, 1.100000e+01
  br i1 %.17.i, label %B42.i, label %_ZN6models6points12fpfh_kernels4_binB3v15B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEd.exit

B42.i:                                            ; preds = %B20.i
  %.5.i.i = fptosi double %.762 to i64
  br label %_ZN6models6points12fpfh_kernels4_binB3v15B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEd.exit

_ZN6models6points12fpfh_kernels4_binB3v15B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEd.exit: ; preds = %B704.endif.endif, %B20.i, %B42.i
  %storemerge.i = phi i64 [ 0, %B704.endif.endif ], [ %.5.i.i, %B42.i ], [ 10, %B20.i ]
  %.789 = getelementptr double, ptr %1, i64 %storemerge.i
  %.790 = load double, ptr %.789, align 8
  %.791 = fadd double %.712, %.790
  store double %.791, ptr %.789, align 8
  %.800 = fadd double %lean.2.2, 1.000000e+00
  %.804 = fmul double %.800, 1.100000e+01
  %.805 = fmul double %.804, 5.000000e-01
  %.9.i195 = fcmp ogt double %.805, 0.000000e+00
  br i1 %.9.i195, label %B20.i197, label %_ZN6models6points12fpfh_kernels4_binB3v15B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEd.exit201

B20.i197:                                         ; preds = %_ZN6models6points12fpfh_kernels4_binB3v15B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEd.exit
  %.17.i198 = fcmp olt double %.805, 1.100000e+01
  br i1 %.17.i198, label %B42.i199, label %_ZN6models6points12fpfh_kernels4_binB3v15B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEd.exit201

B42.i199:                                         ; preds = %B20.i197
  %.5.i.i200 = fptosi double %.805 to i64
  br label %_ZN6models6points12fpfh_kernels4_binB3v15B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEd.exit201

_ZN6models6points12fpfh_kernels4_binB3v15B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEd.exit201: ; preds = %_ZN6models6points12fpfh_kernels4_binB3v15B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEd.exit, %B20.i197, %B42.i199
  %storemerge.i196 = phi i64 [ 0, %_ZN6models6points12fpfh_kernels4_binB3v15B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAEd.exit ], [ %.5.i.i200, %B42.i199 ], [ 10, %B20.i197 ]
  %.832 = getelementptr double, ptr %2, i64 %storemerge.i196
  %.833 = load double, ptr %.832, align 8
  %.834 = fadd double %.712, %.833
  store double %.834, ptr %.832, align 8
  %.613 = icmp sgt i64 %.560.0208, 1
  br i1 %.613, label %B576.if, label %B34.loopexit
}

; Function Attrs: mustprogress nocallback nofree nosync nounwind willreturn memory(none)
declare double @atan2(double, double) local_unnamed_addr #3

; Function Attrs: mustprogress nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.copysign.f64(double, double) #2

; Function Attrs: nofree norecurse nosync nounwind memory(argmem: readwrite)
define noundef i32 @fast(ptr noalias writeonly captures(none) %retptr, ptr noalias readnone captures(none) %excinfo, i64 %arg.n, i64 %arg.most, ptr noalias readonly captures(none) %arg.squares, ptr noalias readonly captures(none) %arg.index, ptr noalias readonly captures(none) %arg.held, ptr noalias readonly captures(none) %arg.histograms, ptr noalias captures(none) %arg.sums, ptr noalias writeonly captures(none) %arg.features) local_unnamed_addr #0 {
entry:
  %.108282.not = icmp slt i64 %arg.n, 1
  br i1 %.108282.not, label %B704, label %B36.if

B232:                                             ; preds = %B196.if
  %.444 = fdiv double 1.000000e+00, %.427
  %.454 = getelementptr i32, ptr %arg.index, i64 %.424
  %.455 = load i32, ptr %.454, align 4
  %.456 = sext i32 %.455 to i64
  %.idx = mul nsw i64 %.456, 264
  %0 = getelementptr i8, ptr %arg.histograms, i64 %.idx
  br label %B338.if

B432.loopexit:                                    ; preds = %B634.if
  %.696 = add nsw i64 %.634.0281, -1
  %.700 = add nuw nsw i64 %.631.0280, 1
  %.687 = icmp samesign ugt i64 %.634.0281, 1
  br i1 %.687, label %B432.if, label %B706

B538:                                             ; preds = %B510.if
  %.867 = fcmp une double %.857, 0.000000e+00
  %.873 = fdiv double 1.000000e+02, %.857
  %"$phi562.2.2.2" = select i1 %.867, double %.873, double 0.000000e+00
  br label %B634.if

B704:                                             ; preds = %B706, %entry
  store ptr null, ptr %retptr, align 8
  ret i32 0

B705:                                             ; preds = %B338.if, %B196.if
  %.381 = icmp sgt i64 %.328.0274.in, 2
  br i1 %.381, label %B196.if, label %B432.if

B706:                                             ; preds = %B432.loopexit, %B36.if
  %.108 = icmp sgt i64 %.52.0284, 1
  br i1 %.108, label %B36.if, label %B704

B36.if:                                           ; preds = %entry, %B706
  %.52.0284 = phi i64 [ %.117, %B706 ], [ %arg.n, %entry ]
  %.49.0283 = phi i64 [ %.121, %B706 ], [ 0, %entry ]
  %.117 = add nsw i64 %.52.0284, -1
  %.121 = add nuw nsw i64 %.49.0283, 1
  %.151 = getelementptr i32, ptr %arg.held, i64 %.49.0283
  %.152 = load i32, ptr %.151, align 4
  %.154 = icmp slt i32 %.152, 2
  br i1 %.154, label %B706, label %B106.if.preheader

B106.if.preheader:                                ; preds = %B36.if
  tail call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(264) %arg.sums, i8 0, i64 264, i1 false)
  %.286 = mul nsw i64 %.49.0283, %arg.most
  %.288 = mul nuw nsw i64 %.49.0283, 33
  %.301 = zext nneg i32 %.152 to i64
  br label %B196.if

B196.if:                                          ; preds = %B106.if.preheader, %B705
  %.328.0274.in = phi i64 [ %.328.0274, %B705 ], [ %.301, %B106.if.preheader ]
  %.325.0273 = phi i64 [ %.394, %B705 ], [ 1, %B106.if.preheader ]
  %.328.0274 = add nsw i64 %.328.0274.in, -1
  %.394 = add nuw nsw i64 %.325.0273, 1
  %.424 = add nsw i64 %.325.0273, %.286
  %.426 = getelementptr double, ptr %arg.squares, i64 %.424
  %.427 = load double, ptr %.426, align 8
  %.429 = fcmp oeq double %.427, 0.000000e+00
  br i1 %.429, label %B705, label %B232

B338.if:                                          ; preds = %B232, %B338.if
  %.487.0270 = phi i64 [ 33, %B232 ], [ %.549, %B338.if ]
  %.484.0269 = phi i64 [ 0, %B232 ], [ %.553, %B338.if ]
  %.549 = add nsw i64 %.487.0270, -1
  %.553 = add nuw nsw i64 %.484.0269, 1
  %.579 = getelementptr double, ptr %arg.sums, i64 %.484.0269
  %.580 = load double, ptr %.579, align 8
  %.584 = getelementptr double, ptr %0, i64 %.484.0269
  %.585 = load double, ptr %.584, align 8
  %.587 = fmul double %.444, %.585
  %.588 = fadd double %.580, %.587
  store double %.588, ptr %.579, align 8
  %.540 = icmp samesign ugt i64 %.487.0270, 1
  br i1 %.540, label %B338.if, label %B705

B432.if:                                          ; preds = %B705, %B432.loopexit
  %.634.0281 = phi i64 [ %.696, %B432.loopexit ], [ 3, %B705 ]
  %.631.0280 = phi i64 [ %.700, %B432.loopexit ], [ 0, %B705 ]
  %.732 = mul nuw nsw i64 %.631.0280, 11
  br label %B510.if

B510.if:                                          ; preds = %B432.if, %B510.if
  %total.2.2277 = phi double [ 0.000000e+00, %B432.if ], [ %.857, %B510.if ]
  %.762.0276 = phi i64 [ 11, %B432.if ], [ %.824, %B510.if ]
  %.759.0275 = phi i64 [ %.732, %B432.if ], [ %.828, %B510.if ]
  %.824 = add nsw i64 %.762.0276, -1
  %.828 = add nuw nsw i64 %.759.0275, 1
  %.854 = getelementptr double, ptr %arg.sums, i64 %.759.0275
  %.855 = load double, ptr %.854, align 8
  %.857 = fadd double %total.2.2277, %.855
  %.815 = icmp samesign ugt i64 %.762.0276, 1
  br i1 %.815, label %B510.if, label %B538

B634.if:                                          ; preds = %B538, %B634.if
  %.924.0279 = phi i64 [ 11, %B538 ], [ %.986, %B634.if ]
  %.921.0278 = phi i64 [ %.732, %B538 ], [ %.990, %B634.if ]
  %.986 = add nsw i64 %.924.0279, -1
  %.990 = add nuw nsw i64 %.921.0278, 1
  %.1016 = getelementptr double, ptr %arg.sums, i64 %.921.0278
  %.1017 = load double, ptr %.1016, align 8
  %.1019 = fmul double %"$phi562.2.2.2", %.1017
  %.1021 = add nuw nsw i64 %.921.0278, %.288
  %.1023 = getelementptr double, ptr %arg.histograms, i64 %.1021
  %.1024 = load double, ptr %.1023, align 8
  %.1025 = fadd double %.1019, %.1024
  %.1029 = getelementptr double, ptr %arg.features, i64 %.1021
  store double %.1025, ptr %.1029, align 8
  %.977 = icmp samesign ugt i64 %.924.0279, 1
  br i1 %.977, label %B634.if, label %B432.loopexit
}

; Function Attrs: nocallback nofree nounwind willreturn memory(argmem: write)
declare void @llvm.memset.p0.i64(ptr writeonly captures(none), i8, i64, i1 immarg) #4

; Function Attrs: nocallback nofree nosync nounwind willreturn memory(argmem: readwrite)
declare void @llvm.lifetime.start.p0(ptr captures(none)) #5

; Function Attrs: nocallback nofree nosync nounwind willreturn memory(argmem: readwrite)
declare void @llvm.lifetime.end.p0(ptr captures(none)) #5

attributes #0 = { nofree norecurse nosync nounwind memory(argmem: readwrite) }
attributes #1 = { mustprogress nofree norecurse nosync nounwind willreturn memory(argmem: write) }
attributes #2 = { mustprogress nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none) }
attributes #3 = { mustprogress nocallback nofree nosync nounwind willreturn memory(none) }
attributes #4 = { nocallback nofree nounwind willreturn memory(argmem: write) }
attributes #5 = { nocallback nofree nosync nounwind willreturn memory(argmem: readwrite) }

!0 = !{!1}
!1 = distinct !{!1, !2, !"_ZN6models6points12fpfh_kernels9_flattestB2v2B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EE: %retptr"}
!2 = distinct !{!2, !"_ZN6models6points12fpfh_kernels9_flattestB2v2B36c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWpoAE8UniTupleIdLi6EE"}
!3 = !{!"branch_weights", i32 99, i32 1}
