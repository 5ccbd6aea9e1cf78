package workload

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

var fakeAddr = &net.TCPAddr{IP: net.IPv4(1, 2, 3, 4), Port: 12345}

// fakeConn has the parts of a net.Conn that need no connection.
type fakeConn struct{}

func (fakeConn) LocalAddr() net.Addr              { return fakeAddr }
func (fakeConn) RemoteAddr() net.Addr             { return fakeAddr }
func (fakeConn) SetDeadline(time.Time) error      { return nil }
func (fakeConn) SetReadDeadline(time.Time) error  { return nil }
func (fakeConn) SetWriteDeadline(time.Time) error { return nil }

// requestListener hands out connections that carry a budget of requests between them. Its
// connections are reused: Accept waits for a free one.
type requestListener struct {
	free    chan *requestConn
	budget  int
	perConn int
}

func newRequestListener(request string, budget, clients, perConn int) *requestListener {
	l := &requestListener{free: make(chan *requestConn, clients), budget: budget, perConn: perConn}
	for i := 0; i < clients; i++ {
		l.free <- &requestConn{free: l.free, request: request}
	}
	return l
}

// Accept is for one goroutine. With the budget spent it waits until every connection is closed, so
// that its io.EOF means that all responses are written.
func (l *requestListener) Accept() (net.Conn, error) {
	if l.budget == 0 {
		for i := 0; i < cap(l.free); i++ {
			<-l.free
		}
		return nil, io.EOF
	}
	n := l.perConn
	if n > l.budget {
		n = l.budget
	}
	l.budget -= n
	c := <-l.free
	c.requests, c.offset = n, 0
	c.open.Store(true)
	return c, nil
}

func (l *requestListener) Addr() net.Addr { return fakeAddr }
func (l *requestListener) Close() error   { return nil }

// requestConn carries the same request a number of times, back to back, and discards what is
// written to it.
type requestConn struct {
	fakeConn
	free     chan<- *requestConn
	request  string
	requests int // not yet read to their end
	offset   int // read of the current one
	open     atomic.Bool
}

// Read fills all of p if the requests last that long, as a busy socket would.
func (c *requestConn) Read(p []byte) (int, error) {
	if c.requests == 0 {
		return 0, io.EOF
	}
	total := 0
	for c.requests > 0 && total < len(p) {
		n := copy(p[total:], c.request[c.offset:])
		total += n
		c.offset += n
		if c.offset == len(c.request) {
			c.offset = 0
			c.requests--
		}
	}
	return total, nil
}

func (c *requestConn) Write(p []byte) (int, error) { return len(p), nil }

func (c *requestConn) Close() error {
	if c.open.CompareAndSwap(true, false) {
		c.free <- c
	}
	return nil
}

// cannedConn is a client's connection to a server that takes no time: each Write counts as a whole
// request, and allows one cannedResponse to be read.
type cannedConn struct {
	fakeConn
	asked  chan struct{}
	offset int // read of the current response
	once   sync.Once
}

func newCannedConn() (net.Conn, error) {
	return &cannedConn{asked: make(chan struct{}, 1)}, nil
}

func (c *cannedConn) Write(p []byte) (int, error) {
	c.asked <- struct{}{}
	return len(p), nil
}

func (c *cannedConn) Read(p []byte) (int, error) {
	if c.offset == 0 {
		if _, ok := <-c.asked; !ok {
			return 0, io.EOF
		}
	}
	n := copy(p, cannedResponse[c.offset:])
	c.offset = (c.offset + n) % len(cannedResponse)
	return n, nil
}

func (c *cannedConn) Close() error {
	c.once.Do(func() { close(c.asked) })
	return nil
}
