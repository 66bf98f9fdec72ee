// The probe is Plinth's own and needs nothing but the standard library.
module plinth.dev/go/probe

go 1.26.0
