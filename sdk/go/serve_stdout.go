// Standard output belongs to the handshake: one line, whatever the program prints before it or at the same time.
//
// From New on, what is printed goes to standard error. While go-plugin starts, os.Stdout is a pipe of ours, which lets only
// the handshake through; afterwards go-plugin hands what is printed to the host by its own service.

package wharf

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
)

// reserveStdout takes the standard output that the host reads, and puts standard error in its place. Nil when no host
// reads it, or it was taken before.
func reserveStdout() *os.File {
	if !launched() || !reserved.CompareAndSwap(false, true) {
		return nil
	}
	kept, err := syscall.Dup(syscall.Stdout)
	if err != nil {
		return nil
	}
	syscall.CloseOnExec(kept)
	if err := syscall.Dup3(syscall.Stderr, syscall.Stdout, 0); err != nil {
		_ = syscall.Close(kept)
		return nil
	}
	return os.NewFile(uintptr(kept), "handshake")
}

var reserved atomic.Bool

// handshake passes the handshake line on.
type handshake struct {
	to          *os.File
	certificate string
	passed      atomic.Bool
}

// newHandshake waits for go-plugin's line in place of standard output.
func newHandshake(to *os.File, certificate string) (*handshake, error) {
	if to == nil {
		return nil, errors.New("standard output is not to be had: it is closed, or there are two plugins in one program")
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	line := &handshake{to: to, certificate: certificate}
	os.Stdout = write
	// It ends with the process: whoever kept the old os.Stdout may print to it until then.
	go line.filter(read)
	return line, nil
}

func (h *handshake) filter(from *os.File) {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		if whole, is := h.completed(line); is && !h.passed.Load() {
			_, failed := h.to.WriteString(whole)
			h.passed.Store(failed == nil)
			_ = h.to.Close()
		} else {
			_, _ = syscall.Write(syscall.Stderr, []byte(line))
		}
		if err != nil {
			return
		}
	}
}

// completed is go-plugin's line with the certificate in its sixth field, which go-plugin leaves empty for certificates
// that it did not make. False: another line.
func (h *handshake) completed(line string) (string, bool) {
	start := fmt.Sprintf("%d|%d|unix|", 1, appVersion)
	// Somebody may have printed a word without a line's end before.
	at := strings.Index(line, start)
	if at < 0 {
		return "", false
	}
	fields := strings.Split(strings.TrimSpace(line[at:]), "|")
	if len(fields) < 6 || fields[4] != "grpc" {
		return "", false
	}
	fields[5] = h.certificate
	return strings.Join(fields, "|") + "\n", true
}

// printed is an error if there was no handshake: go-plugin says why in the log, and nothing to its caller.
func (h *handshake) printed() error {
	if h.passed.Load() {
		return nil
	}
	return errors.New("the plugin was not started; the lines before this one say why")
}
