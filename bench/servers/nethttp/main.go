// The server of Go's net/http, which answers everything with "Hello, World!".
//
//	nethttp_hello [-port N] [-cert FILE -key FILE]
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
)

func main() {
	port := flag.Int("port", 0, "0: any free one")
	certificate := flag.String("cert", "", "a certificate, to serve TLS")
	key := flag.String("key", "", "its key")
	flag.Parse()
	listener, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", listener.Addr())
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, "Hello, World!")
	})
	if *certificate != "" {
		log.Fatal(http.ServeTLS(listener, nil, *certificate, *key))
	}
	log.Fatal(http.Serve(listener, nil))
}
