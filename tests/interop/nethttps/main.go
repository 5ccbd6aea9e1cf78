// Go's net/http over TLS, from either side. FOLDER has chain.pem and key.pem, of the server, and ca.pem, whom to trust.
//
//	nethttps serve FOLDER PORT    what the connection is, at /facts; the body again at /echo
//	nethttps call FOLDER URL      asks URL for each of the things below, and says what came
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
)

func main() {
	log.SetFlags(0)
	if os.Args[1] == "serve" {
		serve(os.Args[2], os.Args[3])
	} else {
		call(os.Args[2], os.Args[3])
	}
}

func trust(folder string) *x509.CertPool {
	pem, err := os.ReadFile(filepath.Join(folder, "ca.pem"))
	if err != nil {
		log.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return pool
}

func version(state *tls.ConnectionState) string {
	return map[uint16]string{tls.VersionTLS12: "TLSv1.2", tls.VersionTLS13: "TLSv1.3"}[state.Version]
}

func reused(state *tls.ConnectionState) string {
	if state.DidResume {
		return "resumed"
	}
	return "new"
}

func serve(folder, port string) {
	mux := http.NewServeMux()
	mux.HandleFunc("/facts", func(w http.ResponseWriter, r *http.Request) {
		who := "nobody"
		if len(r.TLS.PeerCertificates) > 0 {
			who = r.TLS.PeerCertificates[0].DNSNames[0]
		}
		fmt.Fprintf(w, "%s %s %s", version(r.TLS), reused(r.TLS), who)
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err)
		}
		w.Write(body)
	})
	server := http.Server{
		Addr:      "127.0.0.1:" + port,
		Handler:   mux,
		ErrorLog:  log.New(io.Discard, "", 0),
		TLSConfig: &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: trust(folder)},
	}
	log.Fatal(server.ListenAndServeTLS(filepath.Join(folder, "chain.pem"), filepath.Join(folder, "key.pem")))
}

func call(folder, url string) {
	config := &tls.Config{RootCAs: trust(folder), ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	for _, most := range []uint16{tls.VersionTLS13, tls.VersionTLS12} {
		config.MaxVersion = most
		for visit := 0; visit < 3; visit++ {
			transport := &http.Transport{TLSClientConfig: config.Clone(), DisableCompression: true}
			transport.TLSClientConfig.ClientSessionCache = config.ClientSessionCache
			client := http.Client{Transport: transport}
			for request := 0; request < 3; request++ {
				show(client.Get(url + "/"))
			}
			transport.CloseIdleConnections()
		}
	}
	large := bytes.Repeat([]byte("0123456789abcdef"), 10<<16)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: config}}
	response, err := client.Post(url+"/echo", "text/plain", bytes.NewReader(large))
	if err != nil {
		log.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	fmt.Println("large", bytes.Equal(body, large), err)
}

func show(response *http.Response, err error) {
	if err != nil {
		log.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	fmt.Println(version(response.TLS), reused(response.TLS), string(body), err)
}
