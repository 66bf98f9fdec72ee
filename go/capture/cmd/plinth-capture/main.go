// plinth-capture writes the packets of the node as pcapng to its standard output, within limits. It is what plinthd
// starts, in a unit of its own, when somebody asks for a capture: plinthd itself may open no raw socket, and the image
// has no general tool for it. It reads packets and writes this one format; it sends nothing and opens no file.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const usage = `plinth-capture writes packets as pcapng to standard output.

  --interface NAME    only of this one (default: all)
  --filter TEXT       tcp, udp, icmp, arp, ip, ip6, host ADDRESS, port NUMBER; each may follow "not"; joined by "and"
  --without-port N    leave TCP from and to this port out
  --seconds N         end after so long
  --bytes N           end before the output is larger
  --packets N         end after so many (default: no bound)
  --snap N            bytes kept of each packet
`

// Exit codes: what plinthd tells apart.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitNoInterface = 3
)

// Room that the end of the output needs, and the least that makes sense.
const (
	endBytes   = 1024
	leastBytes = 4096
	mostSnap   = 256 << 10
)

type limits struct {
	duration       time.Duration
	bytes, packets uint64
	snap           int
}

type usageError struct{ error }

func main() {
	err := run(os.Args[1:])
	if err == nil {
		return
	}
	fmt.Fprintf(os.Stderr, "plinth-capture: %s\n", err)
	switch {
	case errors.As(err, &usageError{}):
		os.Exit(exitUsage)
	case errors.Is(err, syscall.ENODEV):
		os.Exit(exitNoInterface)
	}
	os.Exit(exitFailed)
}

func run(args []string) error {
	flags := flag.NewFlagSet("plinth-capture", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	name := flags.String("interface", "", "")
	text := flags.String("filter", "", "")
	without := flags.Uint("without-port", 0, "")
	seconds := flags.Uint("seconds", 30, "")
	bytes := flags.Uint64("bytes", 10<<20, "")
	packets := flags.Uint64("packets", 0, "")
	snap := flags.Int("snap", mostSnap, "")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(usage)
		return nil
	case err != nil:
		return usageError{err}
	case flags.NArg() > 0:
		return usageError{fmt.Errorf("%q is no option", flags.Arg(0))}
	case *without > 65535 || *seconds < 1 || *seconds > 86400 || *bytes < leastBytes || *snap < 16 || *snap > mostSnap:
		return usageError{errors.New("a limit is out of its range")}
	}
	filter, err := compileFilter(*text, uint16(*without), uint32(*snap))
	if err != nil {
		return usageError{err}
	}
	socket, err := openSocket(*name, filter)
	if err != nil {
		return err
	}
	most := limits{time.Duration(*seconds) * time.Second, *bytes, *packets, *snap}
	return capture(socket, *name, *text, most)
}

// capture runs until a limit is reached, a signal comes or nobody reads the output any more.
func capture(socket *packetSocket, name, filter string, most limits) error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	// A closed pipe is an error of the write, not a silent death: the end is the same, and says so.
	signal.Ignore(syscall.SIGPIPE)
	out := openQueue(os.Stdout)
	w := newSection(out, filter, most)
	if name != "" {
		if err := w.interfaceOf(socket, socket.index, socket.hardwareType(name)); err != nil {
			return err
		}
	}
	started := time.Now()
	buffer := make([]byte, most.snap)
	reason := ""
	for reason == "" {
		switch {
		case time.Since(started) >= most.duration:
			reason = "time"
		case most.packets > 0 && w.packets >= most.packets:
			reason = "packets"
		case len(stop) > 0:
			reason = "signal"
		case out.isClosed():
			return nil
		}
		if reason != "" {
			break
		}
		p, err := socket.receive(buffer)
		switch {
		case errors.Is(err, errNothing):
			continue
		case errors.Is(err, syscall.ENETDOWN) && name == "":
			continue // one of many
		case errors.Is(err, syscall.ENETDOWN):
			reason = "interface"
			continue
		case err != nil:
			return err
		}
		if !w.add(socket, p) {
			reason = "size"
		}
	}
	w.end(reason, started, socket.dropped())
	return out.finish(10 * time.Second)
}
