// plinth-kubeadm is kubeadm and kubectl as one program: the name it is started by, or else its first argument, chooses.
// They are apart from plinth-kube because they nearly double it, and because a worker can do without them once it joined.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	_ "k8s.io/client-go/plugin/pkg/client/auth" // ways to log in that kubeconfig files may name
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	kubeadm "k8s.io/kubernetes/cmd/kubeadm/app"
	kubeadmerrors "k8s.io/kubernetes/cmd/kubeadm/app/util/errors"
)

var parts = map[string]func(){
	"kubeadm": func() { kubeadmerrors.HandleError(kubeadm.Run()) },
	"kubectl": runKubectl,
}

func main() {
	run, found := parts[filepath.Base(os.Args[0])]
	if !found && len(os.Args) > 1 {
		os.Args = os.Args[1:]
		run, found = parts[os.Args[0]]
	}
	if !found {
		fmt.Fprintln(os.Stderr, "plinth-kubeadm: name one of kubeadm, kubectl")
		os.Exit(2)
	}
	run()
}

func runKubectl() {
	// Loading the command already logs, so the verbosity must be known before the flags are parsed.
	if _, err := logs.GlogSetter(kubectl.GetLogVerbosity(os.Args)); err != nil {
		kubectlutil.CheckErr(err)
	}
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
}
