package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"testing"

	"github.com/valyala/bytebufferpool"
	"github.com/valyala/fasthttp"

	"../workload"
)

// codecRows are the small functions of the codec, one call an operation, with the inputs of fasthttp's own benchmarks.
// Only what fasthttp exports can be called from here: its status lines, its lower-casing and its writer of hexadecimal
// numbers cannot, and 1.31 has no parser of field parameters. IsGet, which takes less than a nanosecond, is called 16
// times an iteration here and in our benchmarks, so that neither side's loop is what is measured.
func codecRows() []workload.Row {
	var list []workload.Row
	add := func(name string, run func(b *testing.B)) { list = append(list, workload.Row{Name: name, Run: run}) }

	add("RequestHeaderRead", func(b *testing.B) {
		var h fasthttp.RequestHeader
		readHeader(b, &h, "GET /foo/bar HTTP/1.1\r\nHost: foobar.com\r\nUser-Agent: aaa.bbb\r\nReferer: http://google.com/aaa/bbb\r\n\r\n")
	})
	add("ResponseHeaderRead", func(b *testing.B) {
		var h fasthttp.ResponseHeader
		readHeader(b, &h, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1256\r\nServer: aaa 1/2.3\r\nTest: 1.2.3\r\n\r\n")
	})
	add("RequestHeaderWrite", func(b *testing.B) {
		var h fasthttp.RequestHeader
		h.SetRequestURI("/foo/bar")
		h.SetHost("foobar.com")
		h.SetUserAgent("aaa.bbb")
		h.SetReferer("http://google.com/aaa/bbb")
		writeHeader(b, &h)
	})
	add("ResponseHeaderWrite", func(b *testing.B) {
		var h fasthttp.ResponseHeader
		h.SetStatusCode(200)
		h.SetContentType("text/html")
		h.SetContentLength(1256)
		h.SetServer("aaa 1/2.3")
		h.Set("Test", "1.2.3")
		writeHeader(b, &h)
	})

	var request fasthttp.RequestHeader
	request.SetMethod("GET")
	request.SetContentType("foobar.com")
	request.Set("Dontent-Type", "foobar.com")
	add("RequestHeaderPeekBytesSpecial", func(b *testing.B) { peek(b, request.PeekBytes, "Content-Type") })
	add("RequestHeaderPeekBytesNonSpecial", func(b *testing.B) { peek(b, request.PeekBytes, "Dontent-Type") })
	var response fasthttp.ResponseHeader
	response.SetContentType("foobar.com")
	response.Set("Dontent-Type", "foobar.com")
	add("ResponseHeaderPeekBytesSpecial", func(b *testing.B) { peek(b, response.PeekBytes, "Content-Type") })
	add("ResponseHeaderPeekBytesNonSpecial", func(b *testing.B) { peek(b, response.PeekBytes, "Dontent-Type") })

	const key = "User-Agent-Host-Content-Type-Content-Length-Server"
	add("NormalizeHeaderKeyCommon", appending([]byte(key), fasthttp.AppendNormalizedHeaderKeyBytes))
	add("NormalizeHeaderKeyLower", appending([]byte(strings.ToLower(key)), fasthttp.AppendNormalizedHeaderKeyBytes))
	add("NormalizeHeaderKeyUpper", appending([]byte(strings.ToUpper(key)), fasthttp.AppendNormalizedHeaderKeyBytes))
	add("IsGet", func(b *testing.B) {
		h := &request
		for i := 0; i < b.N; i += 16 {
			ok := h.IsGet() && h.IsGet() && h.IsGet() && h.IsGet() && h.IsGet() && h.IsGet() && h.IsGet() && h.IsGet() &&
				h.IsGet() && h.IsGet() && h.IsGet() && h.IsGet() && h.IsGet() && h.IsGet() && h.IsGet() && h.IsGet()
			if !ok {
				log.Fatal("not a GET")
			}
		}
	})
	add("HasAcceptEncoding", func(b *testing.B) {
		var h fasthttp.RequestHeader
		h.Set("Accept-Encoding", "gzip, deflate, br;q=0.5")
		for i := 0; i < b.N; i++ {
			if !h.HasAcceptEncoding("gzip") {
				log.Fatal("no gzip")
			}
		}
	})

	add("ArgsParse", func(b *testing.B) {
		var args fasthttp.Args
		text := []byte("foo=bar&baz=qqq&aaaaa=bbbb")
		for i := 0; i < b.N; i++ {
			args.ParseBytes(text)
		}
	})
	add("ArgsPeek", func(b *testing.B) {
		var args fasthttp.Args
		args.Set("foobarbaz", "foobarbaz1234")
		want := []byte("foobarbaz1234")
		for i := 0; i < b.N; i++ {
			if !bytes.Equal(args.Peek("foobarbaz"), want) {
				log.Fatal("unexpected value")
			}
		}
	})
	add("AppendUnquotedArgFast", appending([]byte("foobarbaz no quoted chars fdskjsdf jklsdfdfskljd;aflskjdsaf fdsklj fsdkj fsdl kfjsdlk jfsdklj fsdfsdf sdfkflsd"), fasthttp.AppendUnquotedArg))
	add("AppendUnquotedArgSlow", appending([]byte("D0%B4%20%D0%B0%D0%B2%D0%BB%D0%B4%D1%84%D1%8B%D0%B0%D0%BE%20%D1%84%D0%B2%D0%B6%D0%BB%D0%B4%D1%8B%20%D0%B0%D0%BE"), fasthttp.AppendUnquotedArg))

	add("CookieParseMin", parseCookie("xxx=yyy"))
	add("CookieParseNoExpires", parseCookie("xxx=yyy; domain=foobar.com; path=/a/b"))
	add("CookieParseFull", parseCookie("xxx=yyy; expires=Tue, 10 Nov 2009 23:00:00 GMT; domain=foobar.com; path=/a/b"))

	add("URIParsePath", parseURI("/foo/bar"))
	add("URIParsePathQueryString", parseURI("/foo/bar?query=string&other=value"))
	add("URIParsePathQueryStringHash", parseURI("/foo/bar?query=string&other=value#hashstring"))
	add("URIParseHostname", parseURI("http://foobar.com/foo/bar?query=string&other=value#hashstring"))
	add("URIFullURI", func(b *testing.B) {
		var uri fasthttp.URI
		uri.Parse([]byte("foobar.com"), []byte("/foobar/baz?aaa=bbb&ccc=ddd"))
		for i := 0; i < b.N; i++ {
			if len(uri.FullURI()) != len("http://foobar.com/foobar/baz?aaa=bbb&ccc=ddd") {
				log.Fatal("unexpected length")
			}
		}
	})

	add("AppendHTMLEscape", func(b *testing.B) {
		var buffer []byte
		for i := 0; i < b.N; i++ {
			buffer = fasthttp.AppendHTMLEscape(buffer[:0], "<b>foobarbazxxxyyyzzz</b>")
		}
	})
	add("ParseIPv4", func(b *testing.B) {
		var ip net.IP
		var err error
		text := []byte("123.145.167.189")
		for i := 0; i < b.N; i++ {
			if ip, err = fasthttp.ParseIPv4(ip, text); err != nil {
				log.Fatal(err)
			}
		}
	})
	add("AppendIPv4", func(b *testing.B) {
		ip := net.ParseIP("123.145.167.189")
		var buffer []byte
		for i := 0; i < b.N; i++ {
			buffer = fasthttp.AppendIPv4(buffer[:0], ip)
		}
	})
	add("ParseUint", func(b *testing.B) {
		text := []byte("1234567")
		for i := 0; i < b.N; i++ {
			if n, err := fasthttp.ParseUint(text); err != nil || n != 1234567 {
				log.Fatal(n, err)
			}
		}
	})
	add("AppendUint", func(b *testing.B) {
		var buffer []byte
		for i := 0; i < b.N; i++ {
			buffer = fasthttp.AppendUint(buffer[:0], i&0x7fffffff)
		}
	})
	add("ParseUfloat", func(b *testing.B) {
		text := []byte("1234.56789")
		for i := 0; i < b.N; i++ {
			if _, err := fasthttp.ParseUfloat(text); err != nil {
				log.Fatal(err)
			}
		}
	})
	add("ParseHTTPDate", func(b *testing.B) {
		text := []byte("Tue, 10 Nov 2009 23:00:00 GMT")
		for i := 0; i < b.N; i++ {
			if _, err := fasthttp.ParseHTTPDate(text); err != nil {
				log.Fatal(err)
			}
		}
	})
	add("AppendHTTPDate", func(b *testing.B) {
		date, err := fasthttp.ParseHTTPDate([]byte("Tue, 10 Nov 2009 23:00:00 GMT"))
		if err != nil {
			log.Fatal(err)
		}
		var buffer []byte
		for i := 0; i < b.N; i++ {
			buffer = fasthttp.AppendHTTPDate(buffer[:0], date)
		}
	})

	add("ChunkedBodyRead", readChunkedBody(16, 4096))
	add("ChunkedBodyReadSmall", readChunkedBody(1000, 16))
	return list
}

type header interface {
	Read(*bufio.Reader) error
}

func readHeader(b *testing.B, h header, octets string) {
	from := strings.NewReader(octets)
	reader := bufio.NewReader(from)
	for i := 0; i < b.N; i++ {
		from.Reset(octets)
		reader.Reset(from)
		if err := h.Read(reader); err != nil {
			log.Fatal(err)
		}
	}
}

func writeHeader(b *testing.B, h io.WriterTo) {
	var buffer bytebufferpool.ByteBuffer
	for i := 0; i < b.N; i++ {
		if _, err := h.WriteTo(&buffer); err != nil {
			log.Fatal(err)
		}
		buffer.Reset()
	}
}

func peek(b *testing.B, get func([]byte) []byte, name string) {
	key, want := []byte(name), []byte("foobar.com")
	for i := 0; i < b.N; i++ {
		if !bytes.Equal(get(key), want) {
			log.Fatal("unexpected value")
		}
	}
}

func appending(text []byte, write func(to, text []byte) []byte) func(*testing.B) {
	return func(b *testing.B) {
		var buffer []byte
		for i := 0; i < b.N; i++ {
			buffer = write(buffer[:0], text)
		}
	}
}

func parseCookie(text string) func(*testing.B) {
	return func(b *testing.B) {
		var cookie fasthttp.Cookie
		octets := []byte(text)
		for i := 0; i < b.N; i++ {
			if err := cookie.ParseBytes(octets); err != nil {
				log.Fatal(err)
			}
		}
	}
}

func parseURI(text string) func(*testing.B) {
	return func(b *testing.B) {
		var uri fasthttp.URI
		host, octets := []byte("google.com"), []byte(text)
		for i := 0; i < b.N; i++ {
			if err := uri.Parse(host, octets); err != nil {
				log.Fatal(err)
			}
		}
	}
}

// A body of so many chunks of so many octets, as ContinueReadBody reads it, without a head.
func readChunkedBody(chunks, size int) func(*testing.B) {
	return func(b *testing.B) {
		chunk := fmt.Sprintf("%x\r\n%s\r\n", size, strings.Repeat("x", size))
		octets := strings.Repeat(chunk, chunks) + "0\r\n\r\n"
		from := strings.NewReader(octets)
		reader := bufio.NewReader(from)
		var request fasthttp.Request
		for i := 0; i < b.N; i++ {
			from.Reset(octets)
			reader.Reset(from)
			request.Header.SetContentLength(-1) // chunked
			if err := request.ContinueReadBody(reader, 0); err != nil || len(request.Body()) != chunks*size {
				log.Fatal(len(request.Body()), err)
			}
		}
	}
}
