// What the kernel must refuse is tried with system calls alone: the standard library is enough.
module plinth.dev/go/attempts

go 1.26.0
