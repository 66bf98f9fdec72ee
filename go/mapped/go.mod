// What maps which file is Plinth's own question and needs nothing but the standard library.
module plinth.dev/go/mapped

go 1.26.0
