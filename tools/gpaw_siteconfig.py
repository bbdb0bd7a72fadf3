"""Build options of GPAW's C extension: libxc, BLAS, FFTW and MPI (ScaLAPACK is not needed at this size)."""

compiler = "mpicc"
mpi = True
fftw = True
scalapack = False
libraries = ["xc", "openblas", "fftw3"]
