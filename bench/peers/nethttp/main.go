// Measures Go's standard net/http, server and client, on the rows of package workload.
package main

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"

	"../workload"
)

type peer struct{}

func main() { workload.Main(peer{}) }

func (peer) ServeGet(ln net.Listener, load *workload.ServerLoad) error {
	return serve(ln, load, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			log.Fatalf("unexpected method %q", r.Method)
		}
		io.WriteString(w, workload.Greeting)
	})
}

func (peer) ServePost(ln net.Listener, load *workload.ServerLoad) error {
	return serve(ln, load, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != workload.Greeting {
			log.Fatalf("unexpected body %q, error %v", body, err)
		}
		w.Write(body)
	})
}

func serve(ln net.Listener, load *workload.ServerLoad, answer http.HandlerFunc) error {
	return http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		if load.CloseEach {
			w.Header().Set("Connection", "close")
		}
		answer(w, r)
		load.Count()
	}))
}

func (peer) ServeURI(ln net.Listener) error {
	return http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, r.RequestURI)
	}))
}

func (peer) ServeBody(ln net.Listener, body []byte) error {
	return http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body)
	}))
}

func (peer) ServeUploads(ln net.Listener, body []byte) error {
	return http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		received, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(received, body) {
			log.Fatalf("unexpected body of %d octets, error %v", len(received), err)
		}
	}))
}

func (peer) NewClient(dial func() (net.Conn, error), connsPerHost int) workload.Client {
	transport := &http.Transport{
		MaxIdleConnsPerHost: connsPerHost,
		DisableCompression:  true, // fasthttp's client asks for none either
	}
	if dial != nil {
		transport.DialContext = func(context.Context, string, string) (net.Conn, error) { return dial() }
	}
	return client{&http.Client{Transport: transport}}
}

type client struct{ *http.Client }

func (c client) Reusing(url string) workload.Fetch {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		log.Fatal(err)
	}
	return fetch(func() (*http.Response, error) { return c.Do(request) })
}

func (c client) Hurrying(url string) workload.Fetch {
	return client{&http.Client{Transport: c.Transport, Timeout: workload.BigTimeout}}.Reusing(url)
}

func (c client) Getting(url string) workload.Fetch {
	return fetch(func() (*http.Response, error) { return c.Get(url) })
}

// fetch reads each body to its end, so that the connection is kept, into one buffer.
func fetch(ask func() (*http.Response, error)) workload.Fetch {
	var buffer bytes.Buffer
	return func() (int, []byte, error) {
		response, err := ask()
		if err != nil {
			return 0, nil, err
		}
		defer response.Body.Close()
		buffer.Reset()
		_, err = buffer.ReadFrom(response.Body)
		return response.StatusCode, buffer.Bytes(), err
	}
}
