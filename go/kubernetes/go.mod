// Marks the module's folder only. What is required stands in minors/, one file for each Kubernetes minor
// (go build -modfile=minors/1.37.mod).
module plinth.dev/go/kubernetes

go 1.26.0
