// Measures fasthttp, server and client, on the rows of package workload, and its codec (codec.go).
package main

import (
	"bytes"
	"io"
	"log"
	"net"

	"github.com/valyala/fasthttp"

	"../workload"
)

type peer struct{}

func main() { workload.Main(peer{}, codecRows()...) }

func (peer) ServeGet(ln net.Listener, load *workload.ServerLoad) error {
	return serve(ln, load, func(ctx *fasthttp.RequestCtx) {
		if !ctx.IsGet() {
			log.Fatalf("unexpected method %q", ctx.Method())
		}
		ctx.SuccessString("text/plain", workload.Greeting)
	})
}

func (peer) ServePost(ln net.Listener, load *workload.ServerLoad) error {
	return serve(ln, load, func(ctx *fasthttp.RequestCtx) {
		body := ctx.PostBody()
		if string(body) != workload.Greeting {
			log.Fatalf("unexpected body %q", body)
		}
		ctx.Success("text/plain", body)
	})
}

func serve(ln net.Listener, load *workload.ServerLoad, answer fasthttp.RequestHandler) error {
	server := fasthttp.Server{
		Concurrency: 16 * load.Clients,
		Handler: func(ctx *fasthttp.RequestCtx) {
			answer(ctx)
			if load.CloseEach {
				ctx.SetConnectionClose()
			}
			load.Count()
		},
	}
	return server.Serve(ln)
}

func (peer) ServeURI(ln net.Listener) error {
	return fasthttp.Serve(ln, func(ctx *fasthttp.RequestCtx) { ctx.Success("text/plain", ctx.RequestURI()) })
}

func (peer) ServeBody(ln net.Listener, body []byte) error {
	return fasthttp.Serve(ln, func(ctx *fasthttp.RequestCtx) { ctx.Success("text/plain", body) })
}

func (peer) ServeUploads(ln net.Listener, body []byte) error {
	server := fasthttp.Server{
		StreamRequestBody:  true,
		MaxRequestBodySize: 1, // none of it is read ahead
		Handler: func(ctx *fasthttp.RequestCtx) {
			received, err := io.ReadAll(ctx.RequestBodyStream())
			if err != nil || !bytes.Equal(received, body) {
				log.Fatalf("unexpected body of %d octets, error %v", len(received), err)
			}
		},
	}
	return server.Serve(ln)
}

func (peer) NewClient(dial func() (net.Conn, error), connsPerHost int) workload.Client {
	c := &fasthttp.Client{MaxConnsPerHost: connsPerHost}
	if dial != nil {
		c.Dial = func(string) (net.Conn, error) { return dial() }
	}
	return client{c}
}

type client struct{ *fasthttp.Client }

func (c client) Reusing(url string) workload.Fetch {
	var request fasthttp.Request
	var response fasthttp.Response
	request.SetRequestURI(url)
	return func() (int, []byte, error) {
		err := c.Do(&request, &response)
		return response.StatusCode(), response.Body(), err
	}
}

func (c client) Hurrying(url string) workload.Fetch {
	var request fasthttp.Request
	var response fasthttp.Response
	request.SetRequestURI(url)
	return func() (int, []byte, error) {
		err := c.DoTimeout(&request, &response, workload.BigTimeout)
		return response.StatusCode(), response.Body(), err
	}
}

func (c client) Getting(url string) workload.Fetch {
	var buffer []byte
	return func() (status int, body []byte, err error) {
		status, buffer, err = c.Get(buffer, url)
		return status, buffer, err
	}
}

func (peer) ServeGreeting(ln net.Listener) error {
	return fasthttp.Serve(ln, func(ctx *fasthttp.RequestCtx) { ctx.WriteString(workload.PipelinedBody) })
}

func (peer) NewPipeline(dial func() (net.Conn, error), conns, pending int) workload.Pipeline {
	return pipeline{&fasthttp.PipelineClient{
		Dial:               func(string) (net.Conn, error) { return dial() },
		ReadBufferSize:     1024 * 1024,
		WriteBufferSize:    1024 * 1024,
		MaxConns:           conns,
		MaxPendingRequests: pending,
	}}
}

type pipeline struct{ *fasthttp.PipelineClient }

func (p pipeline) Reusing(url string) workload.Fetch {
	var request fasthttp.Request
	var response fasthttp.Response
	request.SetRequestURI(url)
	return func() (int, []byte, error) {
		err := p.Do(&request, &response)
		return response.StatusCode(), response.Body(), err
	}
}
