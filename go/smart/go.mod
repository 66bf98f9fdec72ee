// What disks say of themselves is asked by Plinth's own program, which needs nothing but the standard library.
module plinth.dev/go/smart

go 1.26.0
