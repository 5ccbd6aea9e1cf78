// Serves the pages of site.h with Go's net/http, and what only a server that can be programmed does. Says where it
// listens on its first line.
package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const bigBytes = 10 << 20

var (
	began   = time.Now()
	store   sync.Map // path to []byte
	forever = make(chan struct{})
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	mux := http.NewServeMux()
	every(mux)
	odd(mux)
	log.Fatal(http.Serve(listener, mux))
}

// What every site has.
func every(mux *http.ServeMux) {
	mux.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("ETag", `"hello"`)
		http.ServeContent(w, r, "", began, strings.NewReader("Hello"))
	})
	mux.HandleFunc("/big", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(bigBytes))
		w.Write(big())
	})
	mux.HandleFunc("/chunked", func(w http.ResponseWriter, r *http.Request) {
		for _, piece := range []string{"one ", "two ", "three"} {
			say(w, piece)
		}
	})
	mux.HandleFunc("/seen", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s", r.Method, r.Header.Get("Content-Length"))
	})
	mux.HandleFunc("/moved/", func(w http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/moved/"))
		w.Header().Set("Location", "http://"+r.Host+"/seen")
		w.WriteHeader(code)
	})
	mux.HandleFunc("/round", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/round", http.StatusFound)
	})
	mux.HandleFunc("/last", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		io.WriteString(w, "last")
	})
	mux.HandleFunc("/store/", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				panic(err)
			}
			store.Store(r.URL.Path, body)
			w.WriteHeader(http.StatusCreated)
		} else if body, ok := store.Load(r.URL.Path); ok {
			w.Write(body.([]byte))
		} else {
			http.NotFound(w, r)
		}
	})
}

// What is rarely seen, and allowed; and what is broken.
func odd(mux *http.ServeMux) {
	mux.HandleFunc("/from", func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		fmt.Fprintf(w, "%s, Host %s, Via %s", host, r.Host, r.Header.Get("Via"))
	})
	mux.HandleFunc("/trailer", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		say(w, "summed ")
		say(w, "up")
		w.Header().Set("X-Sum", "9")
	})
	mux.HandleFunc("/hints", func(w http.ResponseWriter, r *http.Request) {
		for hint := 1; hint <= 3; hint++ {
			w.Header().Set("Link", fmt.Sprintf("</%d.css>; rel=preload", hint))
			w.WriteHeader(http.StatusEarlyHints)
		}
		w.Header().Del("Link")
		io.WriteString(w, "page")
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		for piece := 0; piece < 10; piece++ {
			time.Sleep(2 * time.Millisecond)
			say(w, strconv.Itoa(piece))
		}
	})
	mux.HandleFunc("/refuse", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "too much", http.StatusRequestEntityTooLarge) // and the body is not read
	})
	mux.HandleFunc("/refuse-and-wait", func(w http.ResponseWriter, r *http.Request) {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		io.WriteString(connection, "HTTP/1.1 413 No\r\nContent-Length: 8\r\nConnection: close\r\n\r\ntoo much")
		<-forever // neither read nor closed
	})
	mux.HandleFunc("/cookie", func(w http.ResponseWriter, r *http.Request) {
		if cookie, err := r.Cookie("visit"); err == nil {
			io.WriteString(w, "again: "+cookie.Value)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "visit", Value: "first", Path: "/", HttpOnly: true, MaxAge: 60})
		io.WriteString(w, "welcome")
	})
	mux.HandleFunc("/cut", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "length" {
			w.Header().Set("Content-Length", "100")
		}
		say(w, "half")
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/mute", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/stall", func(w http.ResponseWriter, r *http.Request) {
		say(w, "half")
		<-r.Context().Done()
	})
	raw(mux, "/until-close", "HTTP/1.1 200 OK\r\n\r\nuntil the end")
	raw(mux, "/old", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold")
	raw(mux, "/hang-up", "")
}

func big() []byte {
	return bytes.Repeat([]byte("0123456789abcdef"), bigBytes/16)
}

// say sends a piece at once, as a chunk where no length was told.
func say(w http.ResponseWriter, piece string) {
	io.WriteString(w, piece)
	w.(http.Flusher).Flush()
}

// raw answers with these octets, one at a time, and closes.
func raw(mux *http.ServeMux, path, octets string) {
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer connection.Close()
		for i := range octets {
			io.WriteString(connection, octets[i:i+1])
		}
	})
}
