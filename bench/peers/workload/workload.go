// Package workload is what the peers have in common: the rows, the connections they run over, and
// the measuring. A peer (see Peer) adds the HTTP stack. Every row here counts HTTP requests: one
// operation is one request and its response, checked. A peer may have rows of its own for its codec.
//
// The peers build without modules, against Debian's Go packages:
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go build ./bench/peers/fasthttp
//
// P below is GOMAXPROCS, which Go takes from the environment.
package workload

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
)

// Greeting is the body that the GET rows answer and the POST rows send and get back.
const Greeting = "Hello, world!"

const (
	getRequest = "GET /foobar?baz HTTP/1.1\r\n" +
		"Host: google.com\r\n" +
		"User-Agent: aaa/bbb/ccc/ddd/eee Firefox Chrome MSIE Opera\r\n" +
		"Referer: http://example.com/aaa?bbb=ccc\r\n" +
		"Cookie: foo=bar; baz=baraz; aa=aakslsdweriwereowriewroire\r\n\r\n"

	postRequest = "POST /foobar?baz HTTP/1.1\r\n" +
		"Host: google.com\r\n" +
		"Content-Type: foo/bar\r\n" +
		"Content-Length: 13\r\n" +
		"User-Agent: Opera Chrome MSIE Firefox and other/1.2.34\r\n" +
		"Referer: http://google.com/aaaa/bbb/ccc\r\n" +
		"Cookie: foo=bar; baz=baraz; aa=aakslsdweriwereowriewroire\r\n\r\n" +
		Greeting

	cannedBody     = "012345678912"
	cannedResponse = "HTTP/1.1 200 OK\r\n" +
		"Content-Type: text/plain\r\n" +
		"Content-Length: 12\r\n\r\n" +
		cannedBody

	echoURI = "/foo/bar?baz=123"
)

// BigTimeout is how long a call of the BigResponse rows may take.
const BigTimeout = 5 * time.Second

// Peer is the HTTP stack under measurement. The Serve methods return when ln.Accept fails; every
// response they send is a 200 of type text/plain.
type Peer interface {
	// ServeGet answers each request, which must be a GET, with Greeting.
	ServeGet(ln net.Listener, load *ServerLoad) error
	// ServePost answers each request with its body, which must be Greeting.
	ServePost(ln net.Listener, load *ServerLoad) error
	// ServeURI answers each request with its request target.
	ServeURI(ln net.Listener) error
	// ServeBody answers each request with body.
	ServeBody(ln net.Listener, body []byte) error
	// ServeUploads streams the body of each request, joins it, and fails the program unless it is body.
	ServeUploads(ln net.Listener, body []byte) error
	// NewClient returns a client that keeps up to connsPerHost connections to a host, made by
	// dial, or over TCP when dial is nil.
	NewClient(dial func() (net.Conn, error), connsPerHost int) Client
}

// ServerLoad is what the handlers of ServeGet and ServePost need to know.
type ServerLoad struct {
	Clients   int           // connections open at a time
	CloseEach bool          // ask for the connection's close with each response
	Served    chan struct{} // one token a request
}

// Count records a served request.
func (l *ServerLoad) Count() {
	select {
	case l.Served <- struct{}{}:
	default:
	}
}

// Client makes fetches, one for each goroutine.
type Client interface {
	// Reusing returns a fetch that sends one request object again and again.
	Reusing(url string) Fetch
	// Hurrying is Reusing, with BigTimeout for each request.
	Hurrying(url string) Fetch
	// Getting returns a fetch that starts from the URL each time.
	Getting(url string) Fetch
	CloseIdleConnections()
}

// Fetch makes one request. The body is valid until the next call.
type Fetch func() (status int, body []byte, err error)

// Row is one thing to measure; b.N operations of it.
type Row struct {
	Name string
	Run  func(b *testing.B)
}

func rows(peer Peer) []Row {
	procs := runtime.GOMAXPROCS(0)
	var list []Row
	add := func(name string, run func(b *testing.B)) { list = append(list, Row{name, run}) }
	counts := map[int]string{1: "1", 2: "2", 10: "10", 100: "100", 1000: "1000", 10000: "10K"}

	for _, n := range []int{1, 2, 10, 10000} {
		add("ServerGet"+counts[n]+"ReqPerConn", serverRow(peer.ServeGet, getRequest, procs, n))
	}
	for _, n := range []int{1, 2, 10, 100} {
		add("ServerGet"+counts[n]+"ReqPerConn10KClients", serverRow(peer.ServeGet, getRequest, 10000, n))
	}
	for _, n := range []int{1, 2, 10, 10000} {
		add("ServerPost"+counts[n]+"ReqPerConn", serverRow(peer.ServePost, postRequest, procs, n))
	}
	add("ClientDoFastServer", fastServerRow(peer))
	for _, n := range []int{1, 10, 100, 1000} {
		add("ClientGetEndToEnd"+counts[n]+"Inmemory", inmemoryRow(peer, n))
	}
	for _, n := range []int{1, 10} {
		add("ClientEndToEndBigResponse"+counts[n]+"Inmemory", bigResponseRow(peer, n))
	}
	add("RequestStreamE2E", uploadRow(peer))
	for _, n := range []int{1, 10, 100} {
		add("ClientGetEndToEnd"+counts[n]+"TCP", tcpRow(peer, n))
	}
	if pipeliner, ok := peer.(Pipeliner); ok {
		for _, n := range []int{1, 10, 100, 1000} {
			add("Pipeline"+counts[n], pipelineRow(pipeliner, n))
		}
	}
	return list
}

// serverRow serves b.N requests over fake connections, of which up to `clients` are open at a time,
// each carrying perConn requests. There is no client: it is the server that is measured.
func serverRow(serve func(net.Listener, *ServerLoad) error, request string, clients, perConn int) func(*testing.B) {
	return func(b *testing.B) {
		ln := newRequestListener(request, b.N, clients, perConn)
		load := &ServerLoad{Clients: clients, CloseEach: perConn == 1, Served: make(chan struct{}, b.N)}
		b.ResetTimer()
		err := serve(ln, load)
		b.StopTimer()
		if err != nil && err != io.EOF {
			log.Fatalf("serving: %v", err)
		}
		if len(load.Served) != b.N {
			log.Fatalf("served %d of %d requests", len(load.Served), b.N)
		}
	}
}

// fastServerRow has P goroutines, each with a host and thus a connection of its own, reuse one
// request against connections that hold the response ready.
func fastServerRow(peer Peer) func(*testing.B) {
	return func(b *testing.B) {
		client := peer.NewClient(newCannedConn, runtime.GOMAXPROCS(0))
		var hosts atomic.Int32
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			url := fmt.Sprintf("http://foobar%d.com/aaa/bbb", hosts.Add(1))
			repeat(pb, client.Reusing(url), cannedBody)
		})
		b.StopTimer()
		client.CloseIdleConnections()
	}
}

// inmemoryRow is endToEnd through pipes within the process. A pipe's blocked Read does not notice a
// new deadline, by which net/http's server stops watching for the client's close after a response.
// That is harmless here: the Read ends with the next request's first byte, which the server keeps.
func inmemoryRow(peer Peer, parallelism int) func(*testing.B) {
	return func(b *testing.B) {
		ln := fasthttputil.NewInmemoryListener()
		endToEnd(b, peer, ln, ln.Dial, "unused.host", parallelism)
	}
}

// bigResponseRow is like inmemoryRow, with 1 MiB of digits for an answer, one request object a
// goroutine, and a time limit for each call.
func bigResponseRow(peer Peer, parallelism int) func(*testing.B) {
	return func(b *testing.B) {
		body := digits(1024 * 1024)
		want := string(body)
		ln := fasthttputil.NewInmemoryListener()
		done := make(chan struct{})
		go func() {
			peer.ServeBody(ln, body) // fails when ln is closed
			close(done)
		}()
		client := peer.NewClient(ln.Dial, parallelism*runtime.GOMAXPROCS(0))
		b.SetParallelism(parallelism)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) { repeat(pb, client.Hurrying("http://unused.host"+echoURI), want) })
		b.StopTimer()
		client.CloseIdleConnections()
		ln.Close()
		<-done
	}
}

// uploadRow has four goroutines dial, write one chunked request of 128 KiB as it stands, read the
// head of the response and close. There is no HTTP client.
func uploadRow(peer Peer) func(*testing.B) {
	return func(b *testing.B) {
		const clients = 4
		body := digits(128 * 1024)
		request := inGrowingChunks(body)
		ln := fasthttputil.NewInmemoryListener()
		done := make(chan struct{})
		go func() {
			peer.ServeUploads(ln, body) // fails when ln is closed
			close(done)
		}()
		var wait sync.WaitGroup
		b.ResetTimer()
		for i := 0; i < clients; i++ {
			count := b.N / clients
			if i < b.N%clients {
				count++
			}
			wait.Add(1)
			go func() {
				defer wait.Done()
				for ; count > 0; count-- {
					upload(ln, request)
				}
			}()
		}
		wait.Wait()
		b.StopTimer()
		ln.Close()
		<-done
	}
}

func upload(ln *fasthttputil.InmemoryListener, request []byte) {
	conn, err := ln.Dial()
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if _, err = conn.Write(request); err != nil {
		log.Fatal(err)
	}
	var head fasthttp.ResponseHeader
	if err = head.Read(bufio.NewReaderSize(conn, 128)); err != nil || head.StatusCode() != http.StatusOK {
		log.Fatalf("uploaded: status %d, error %v", head.StatusCode(), err)
	}
}

func digits(count int) []byte {
	text := make([]byte, count)
	for i := range text {
		text[i] = '0' + byte(i%10)
	}
	return text
}

// inGrowingChunks is a POST of body in chunks of 1, 2, 3 ... octets.
func inGrowingChunks(body []byte) []byte {
	request := []byte("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
	for size := 1; len(body) > 0; size++ {
		if size > len(body) {
			size = len(body)
		}
		request = append(request, fmt.Sprintf("%x\r\n", size)...)
		request = append(append(request, body[:size]...), "\r\n"...)
		body = body[size:]
	}
	return append(request, "0\r\n\r\n"...)
}

// tcpRow is endToEnd over the loopback interface.
func tcpRow(peer Peer, parallelism int) func(*testing.B) {
	return func(b *testing.B) {
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		endToEnd(b, peer, ln, nil, ln.Addr().String(), parallelism)
	}
}

// endToEnd has parallelism x P goroutines fetch from the peer's own server, each on a kept-alive
// connection with one request in flight.
func endToEnd(b *testing.B, peer Peer, ln net.Listener, dial func() (net.Conn, error), host string, parallelism int) {
	done := make(chan struct{})
	go func() {
		peer.ServeURI(ln) // fails when ln is closed
		close(done)
	}()
	client := peer.NewClient(dial, parallelism*runtime.GOMAXPROCS(0))
	b.SetParallelism(parallelism)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) { repeat(pb, client.Getting("http://"+host+echoURI), echoURI) })
	b.StopTimer()
	client.CloseIdleConnections()
	ln.Close()
	<-done
}

// repeat fetches as long as pb says, and checks each response.
func repeat(pb *testing.PB, fetch Fetch, want string) {
	for pb.Next() {
		status, body, err := fetch()
		if err != nil || status != http.StatusOK || string(body) != want {
			log.Fatalf("fetched status %d, body %q, error %v", status, body, err)
		}
	}
}

// Pipeliner is a peer whose client can send requests behind each other on one connection.
type Pipeliner interface {
	// ServeGreeting answers each request with PipelinedBody.
	ServeGreeting(ln net.Listener) error
	// NewPipeline returns a client with up to conns connections, made by dial, on which up to
	// pending requests wait for their responses.
	NewPipeline(dial func() (net.Conn, error), conns, pending int) Pipeline
}

// Pipeline makes fetches, one for each goroutine, which share its connections.
type Pipeline interface {
	Reusing(url string) Fetch
}

// PipelinedBody is the body that ServeGreeting answers.
const PipelinedBody = "foobar"

// pipelineRow has parallelism x P goroutines fetch through pipes, on P connections. Its client cannot be closed: what
// it has open ends with the listener's pipes, or idles.
func pipelineRow(peer Pipeliner, parallelism int) func(*testing.B) {
	return func(b *testing.B) {
		ln := fasthttputil.NewInmemoryListener()
		done := make(chan struct{})
		go func() {
			peer.ServeGreeting(ln) // fails when ln is closed
			close(done)
		}()
		procs := runtime.GOMAXPROCS(0)
		pipeline := peer.NewPipeline(ln.Dial, procs, parallelism*procs)
		b.SetParallelism(parallelism)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			repeat(pb, pipeline.Reusing("http://unused.host"+echoURI), PipelinedBody)
		})
		b.StopTimer()
		ln.Close()
		<-done
	}
}

// Main runs the rows that the command line asks for, of these or of the peer's codec, and prints a JSON object a line.
func Main(peer Peer, codec ...Row) {
	flags := flag.NewFlagSet(os.Args[0], flag.ExitOnError)
	name := flags.String("name", ".*", "measure the rows whose whole name matches this `regex`")
	minimum := flags.Duration("time", 300*time.Millisecond, "measure each row for at least this long")
	list := flags.Bool("list", false, "print the names of the rows and exit")
	micro := flags.Bool("micro", false, "the rows of the codec instead of those of requests")
	flags.Parse(os.Args[1:])
	wanted, err := regexp.Compile("^(?:" + *name + ")$")
	if err != nil {
		log.Fatal(err)
	}
	testing.Init() // defines the flag that testing.Benchmark takes its measuring time from
	if err := flag.Set("test.benchtime", minimum.String()); err != nil {
		log.Fatal(err)
	}

	chosen := codec
	if !*micro {
		chosen = rows(peer)
	}
	output := json.NewEncoder(os.Stdout)
	for _, row := range chosen {
		if !wanted.MatchString(row.Name) {
			continue
		}
		if *list {
			fmt.Println(row.Name)
			continue
		}
		result := testing.Benchmark(row.Run)
		output.Encode(struct {
			Name        string  `json:"name"`
			Nanoseconds float64 `json:"ns"`
			Allocations float64 `json:"allocations"`
		}{row.Name, float64(result.T) / float64(result.N), float64(result.MemAllocs) / float64(result.N)})
	}
}
