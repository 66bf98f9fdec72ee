// plinth-kube is Kubernetes as one program: the name it is started by, or else its first argument, chooses the part.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	_ "time/tzdata" // time zones of CronJobs, whatever the node has

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // logs in JSON
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // metrics of API clients
	_ "k8s.io/component-base/metrics/prometheus/version"  // metrics of the version
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
	"plinth.dev/go/kubernetes/internal/restore"
	"plinth.dev/go/kubernetes/internal/staticpods"
)

// parts are the programs by name. Each is made only when it runs: making one registers its flags and metrics.
var parts = map[string]func(args []string) int{
	"etcd":                         runEtcd,
	"kube-apiserver":               command(func() *cobra.Command { return apiserver.NewAPIServerCommand() }),
	"kube-controller-manager":      command(controllers.NewControllerManagerCommand),
	"kube-proxy":                   command(proxy.NewProxyCommand),
	"kube-scheduler":               command(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
	"kubelet":                      command(func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) }),
	"plinth-etcd-restore":          restore.Main,
	"plinth-restart-control-plane": staticpods.Main,
}

func main() {
	args := os.Args
	run, found := parts[filepath.Base(args[0])]
	if !found && len(args) > 1 {
		args = args[1:]
		run, found = parts[args[0]]
	}
	if !found {
		fmt.Fprintf(os.Stderr, "plinth-kube: name one of %s\n", strings.Join(names(), ", "))
		os.Exit(2)
	}
	os.Exit(run(args))
}

// command runs a part that is a cobra command. Some of them read os.Args themselves, so these are set too.
func command(make func() *cobra.Command) func(args []string) int {
	return func(args []string) int {
		os.Args = args
		return cli.Run(make())
	}
}

// runEtcd ends the process itself when etcd fails.
func runEtcd(args []string) int {
	etcdmain.Main(args)
	return 0
}

func names() []string {
	list := make([]string, 0, len(parts))
	for name := range parts {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}
