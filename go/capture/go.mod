// The packet capture is Plinth's own and needs nothing but the standard library.
module plinth.dev/go/capture

go 1.26.0
