// probe tries from inside a pod what a workload needs of its node: to run, to write to a volume, to find names, to reach
// other pods. It is what a new node is tested with before it takes workloads, and what demonstrations and tests deploy.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const (
	patience = 20 * time.Second
	// Between two questions of watch.
	pause = 200 * time.Millisecond
	// Bound on what is read of an answer or a file.
	limit = 1 << 20
)

const usage = `probe tries what a workload needs of its node.

  probe serve [ADDRESS]     answer HTTP with the name of the pod (default :8080)
  probe lookup NAME...      print the addresses of each name
  probe connect HOST:PORT   open a TCP connection
  probe get URL             print what an HTTP server answers
  probe watch URL           ask it again and again; print what failed, and how often
  probe write FILE TEXT     write a file, read it back
  probe read FILE           print a file
  probe wait                do nothing until it is told to end
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "probe: %s\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	name, rest := "", []string(nil)
	if len(args) > 0 {
		name, rest = args[0], args[1:]
	}
	switch {
	case name == "serve" && len(rest) < 2:
		return serve(ctx, append(rest, ":8080")[0])
	case name == "lookup" && len(rest) > 0:
		return lookup(ctx, rest)
	case name == "connect" && len(rest) == 1:
		return connect(ctx, rest[0])
	case name == "get" && len(rest) == 1:
		return get(ctx, rest[0])
	case name == "watch" && len(rest) == 1:
		return watch(ctx, rest[0])
	case name == "write" && len(rest) == 2:
		return write(rest[0], rest[1])
	case name == "read" && len(rest) == 1:
		return read(rest[0])
	case name == "wait" && len(rest) == 0:
		<-ctx.Done()
		return nil
	}
	return errors.New("unknown command\n" + usage)
}

func serve(ctx context.Context, address string) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	server := &http.Server{
		Addr:              address,
		ReadHeaderTimeout: patience,
		Handler: http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
			fmt.Printf("%s %s from %s\n", request.Method, request.URL.Path, request.RemoteAddr)
			fmt.Fprintf(answer, "%s\n", host)
		}),
	}
	go func() {
		<-ctx.Done()
		server.Close()
	}()
	fmt.Printf("serving on %s\n", address)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func lookup(ctx context.Context, names []string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, name := range names {
		addresses, err := net.DefaultResolver.LookupHost(ctx, name)
		if err != nil {
			return err
		}
		fmt.Println(name, strings.Join(addresses, " "))
	}
	return nil
}

func connect(ctx context.Context, address string) error {
	dialer := net.Dialer{Timeout: patience}
	connection, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer connection.Close()
	fmt.Println("connected to", connection.RemoteAddr())
	return nil
}

// watch asks by a connection of its own each time, as many clients would, and gives a line each ten seconds.
func watch(ctx context.Context, url string) error {
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	asked, failed, told := 0, 0, time.Now()
	for ctx.Err() == nil {
		asked++
		if err := ask(ctx, &client, url, io.Discard); err != nil && ctx.Err() == nil {
			failed++
			fmt.Println(time.Now().UTC().Format(time.RFC3339Nano), err)
		}
		if time.Since(told) >= 10*time.Second {
			told = time.Now()
			fmt.Printf("asked %d failed %d\n", asked, failed)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return nil
}

// get does not judge certificates: it shows that the way to a server works, and sends nothing that is secret.
func get(ctx context.Context, url string) error {
	client := http.Client{
		Timeout:   patience,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
	}
	return ask(ctx, &client, url, os.Stdout)
}

// ask copies an answer; one that is not OK is an error.
func ask(ctx context.Context, client *http.Client, url string, out io.Writer) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(out, io.LimitReader(answer.Body, limit)); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}

func write(path, text string) error {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	back, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if string(back) != text {
		return fmt.Errorf("%s holds other bytes than were written", path)
	}
	fmt.Println("wrote", path)
	return nil
}

func read(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(os.Stdout, io.LimitReader(file, limit))
	return err
}
