// flanneld joins the pod networks of all nodes: flannel's own parts, put together for the one way Plinth uses them.
// Subnets come from the Node objects, rules are written with nftables, and only the backends that need no program and no
// cloud account are linked: vxlan, wireguard, and plain routes between nodes of one network (host-gw).
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/flannel-io/flannel/pkg/backend"
	_ "github.com/flannel-io/flannel/pkg/backend/hostgw"
	_ "github.com/flannel-io/flannel/pkg/backend/vxlan"
	_ "github.com/flannel-io/flannel/pkg/backend/wireguard"
	"github.com/flannel-io/flannel/pkg/ip"
	"github.com/flannel-io/flannel/pkg/ipmatch"
	"github.com/flannel-io/flannel/pkg/subnet"
	"github.com/flannel-io/flannel/pkg/subnet/kube"
	"github.com/flannel-io/flannel/pkg/trafficmngr/nftables"
	"k8s.io/klog/v2"
)

const (
	annotationPrefix = "flannel.alpha.coreos.com"
	// Upstream's managers take a period for rules that others may remove; those of nftables stay.
	noResync        = 0
	shutdownTimeout = 3 * time.Second
)

// version is set by the linker.
var version = "unknown"

type options struct {
	kubeconfig  string
	netConf     string
	publicIP    string
	healthz     string
	versionOnly bool
}

func main() {
	klog.InitFlags(nil)
	var opts options
	flag.StringVar(&opts.kubeconfig, "kubeconfig-file", "", "kubeconfig; without it the service account of the pod")
	flag.StringVar(&opts.netConf, "net-config-path", "/etc/kube-flannel/net-conf.json", "network and backend")
	flag.StringVar(&opts.publicIP, "public-ip", "", "address that other nodes reach this one at; default: that of the default route")
	flag.StringVar(&opts.healthz, "healthz-address", "127.0.0.1:10290", "where /healthz and /readyz answer; empty for nowhere")
	flag.BoolVar(&opts.versionOnly, "version", false, "print the version and exit")
	flag.Parse()
	if opts.versionOnly {
		fmt.Println(version)
		return
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, opts); err != nil {
		klog.ErrorS(err, "flanneld stops")
		os.Exit(1)
	}
}

// run sets up the network of this node and follows the other nodes until ctx ends.
func run(ctx context.Context, opts options) error {
	ctx, cancel := context.WithCancel(ctx)
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel()

	var ready atomic.Bool
	if opts.healthz != "" {
		serveHealth(ctx, &tasks, opts.healthz, &ready)
	}

	subnets, err := kube.NewSubnetManager(ctx, "", opts.kubeconfig, annotationPrefix, opts.netConf, true)
	if err != nil {
		return fmt.Errorf("cannot follow the nodes: %w", err)
	}
	config, err := subnets.GetNetworkConfig(ctx)
	if err != nil {
		return fmt.Errorf("cannot read the network: %w", err)
	}
	network, err := register(ctx, &tasks, subnets, config, opts.publicIP)
	if err != nil {
		return err
	}
	if err := allowTraffic(ctx, config, network); err != nil {
		return err
	}
	klog.InfoS("The network of this node is up", "backend", config.BackendType,
		"subnet", network.Lease().Subnet, "subnet6", network.Lease().IPv6Subnet, "mtu", network.MTU())
	ready.Store(true)
	tasks.Go(func() { network.Run(ctx) })
	if err := subnets.CompleteLease(ctx, network.Lease(), &tasks); err != nil {
		return err
	}
	// A lease of Kubernetes has nothing to renew, so CompleteLease returns at once.
	<-ctx.Done()
	return nil
}

// register tells the other nodes how to reach this one, and makes the link that leads to them.
func register(
	ctx context.Context, tasks *sync.WaitGroup, subnets subnet.Manager, config *subnet.Config, publicIP string,
) (backend.Network, error) {
	families, err := ipmatch.GetIPFamily(config.EnableIPv4, config.EnableIPv6)
	if err != nil {
		return nil, err
	}
	stored, stored6 := subnets.GetStoredPublicIP(ctx)
	if stored != "" {
		publicIP = stored
	}
	link, err := ipmatch.LookupExtIface(publicIP, "", "", families, ipmatch.PublicIPOpts{PublicIP: publicIP, PublicIPv6: stored6})
	if err != nil {
		return nil, fmt.Errorf("cannot choose the link to other nodes: %w", err)
	}
	way, err := backend.NewManager(ctx, subnets, link).GetBackend(config.BackendType)
	if err != nil {
		return nil, err
	}
	network, err := way.RegisterNetwork(ctx, tasks, config)
	if err != nil {
		return nil, fmt.Errorf("cannot join the network by %s: %w", config.BackendType, err)
	}
	return network, nil
}

// allowTraffic lets packets of pods pass, and lends them the node's address when they leave the cluster.
func allowTraffic(ctx context.Context, config *subnet.Config, network backend.Network) error {
	rules := &nftables.NFTablesManager{}
	if err := rules.Init(ctx); err != nil {
		return err
	}
	none, none6 := ip.IP4Net{}, ip.IP6Net{}
	if err := rules.SetupAndEnsureMasqRules(ctx, config.Network, none, none, config.IPv6Network, none6, none6,
		network.Lease(), noResync, false); err != nil {
		return err
	}
	rules.SetupAndEnsureForwardRules(ctx, config.Network, config.IPv6Network, noResync)
	return nil
}

func serveHealth(ctx context.Context, tasks *sync.WaitGroup, address string, ready *atomic.Bool) {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !ready.Load() {
			http.Error(w, "the network of this node is not up yet", http.StatusServiceUnavailable)
		}
	})
	server := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: shutdownTimeout}
	tasks.Go(func() {
		if err := server.ListenAndServe(); err != http.ErrServerClosed {
			klog.ErrorS(err, "No health answers", "address", address)
		}
	})
	tasks.Go(func() {
		<-ctx.Done()
		ending, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		_ = server.Shutdown(ending) // whoever still waits for an answer is cut off with the process
	})
}
