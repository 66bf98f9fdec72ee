package main

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

const (
	// What may wait for a slow reader. Beyond it packets are left out: memory is never what gives way.
	queueBytes = 4 << 20
	// As much as a pipe holds: each write shows that somebody reads.
	pieceBytes = 64 << 10
)

// queue hands blocks to a writer of its own, so that a slow reader does not keep packets from being counted and the
// limits from being kept.
type queue struct {
	file    *os.File
	mutex   sync.Mutex
	changed *sync.Cond
	waiting []byte
	last    bool
	writes  int
	err     error
	done    chan struct{}
}

func openQueue(file *os.File) *queue {
	q := &queue{file: file, done: make(chan struct{})}
	q.changed = sync.NewCond(&q.mutex)
	go q.write()
	return q
}

// put queues a block as a whole; false when there is no room for it.
func (q *queue) put(block []byte, must bool) bool {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if !must && len(q.waiting)+len(block) > queueBytes {
		return false
	}
	q.waiting = append(q.waiting, block...)
	q.changed.Signal()
	return true
}

func (q *queue) write() {
	defer close(q.done)
	var spare []byte
	for {
		q.mutex.Lock()
		for len(q.waiting) == 0 && !q.last {
			q.changed.Wait()
		}
		now := q.waiting
		q.waiting = spare[:0]
		q.mutex.Unlock()
		if len(now) == 0 {
			return
		}
		spare = now
		for len(now) > 0 {
			n, err := q.file.Write(now[:min(len(now), pieceBytes)])
			now = now[n:]
			q.mutex.Lock()
			q.writes++
			q.err = err
			q.mutex.Unlock()
			if err != nil {
				return
			}
		}
	}
}

// isClosed tells whether nobody can read the output any more, also while there is nothing to write.
func (q *queue) isClosed() bool {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	return q.err != nil || hungUp(1)
}

// finish waits until everything is written, as long as somebody reads: one who stands still is left.
func (q *queue) finish(patience time.Duration) error {
	q.mutex.Lock()
	q.last = true
	q.changed.Signal()
	q.mutex.Unlock()
	for seen := -1; ; {
		select {
		case <-q.done:
			if errors.Is(q.err, syscall.EPIPE) {
				return nil
			}
			return q.err
		case <-time.After(patience):
		}
		q.mutex.Lock()
		writes := q.writes
		q.mutex.Unlock()
		if writes == seen {
			return errors.New("nobody reads the output")
		}
		seen = writes
	}
}

// hungUp asks poll(2) whether the other end of a pipe is gone.
func hungUp(fd int32) bool {
	const pollErr, pollHup = 0x8, 0x10
	asked := struct {
		fd              int32
		events, revents int16
	}{fd: fd}
	now := syscall.Timespec{}
	n, _, _ := syscall.Syscall6(
		syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&asked)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0)
	return n == 1 && asked.revents&(pollErr|pollHup) != 0
}
