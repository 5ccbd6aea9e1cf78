// ForeignPeer: OpenSSL's own client or server over any connection, for what one of ours never does.
//
//   ForeignPeer client(lab.world(), std::move(lab.world().dial_now(address)->connection), Version::tls_1_2);
//   ForeignPeer server(world, std::move(there), Version::tls_1_2, ForeignPeer::Side::server);      "app"
//   ASSERT_TRUE(client.shake());
//   client.ask_for_new_keys();   client.carry();
//
// What it makes waits in output() until carry() sends it, so a test may change it, cut it, or send none of it.
//
// Lifetime  the world outlives it.   Threads  one.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <span>
#include <string>
#include <utility>

#include "pipette/inmem/world.h"
#include "pipette/net/connection.h"
#include "pipette/tls/internal/library.h"
#include "pipette/tls/internal/openssl.h"
#include "pipette/tls/options.h"

#include "tests/tls/secured.h"

namespace pipette::tls {

class ForeignPeer {
 public:
  enum class Side : std::uint8_t { client, server };

  ForeignPeer(inmem::World& world, std::unique_ptr<net::Connection> connection, Version version,
              Side side = Side::client)
      : world_(world), connection_(std::move(connection)), context_(make_context(version, side)) {
    library().reseed(Random(9));
    ssl_.reset(SSL_new(context_.get()));
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);
    side == Side::client ? SSL_set_connect_state(ssl_.get()) : SSL_set_accept_state(ssl_.get());
  }

  SSL* ssl() { return ssl_.get(); }
  net::Connection& connection() { return *connection_; }
  void leave() { connection_.reset(); }

  void take_a_turn() { SSL_do_handshake(ssl_.get()); }
  // Both handshakes and new ones. False: it takes more than a few turns, or has failed.
  bool shake() {
    for (int turn = 0; turn < 8; ++turn) {
      const int result = SSL_do_handshake(ssl_.get());
      carry();
      if (result == 1) return true;
    }
    return false;
  }
  void write(Bytes text) { SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())); }
  // What has come and can be read.
  std::string read() {
    carry();
    ERR_clear_error();  // those of the other side
    std::string text;
    std::array<char, 4096> room;
    for (int count = 1; count > 0; text.append(room.data(), static_cast<std::size_t>(count))) {
      count = SSL_read(ssl_.get(), room.data(), room.size());
      if (count <= 0) break;
    }
    return text;
  }
  void finish() { SSL_shutdown(ssl_.get()); }
  // TLS 1.2: a whole handshake once more; a server asks its client for one (HelloRequest).
  void begin_again() {
    SSL_renegotiate(ssl_.get());
    SSL_do_handshake(ssl_.get());
  }
  // TLS 1.3: keys that are new, and a request for such.
  void ask_for_new_keys() {
    SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(ssl_.get());
  }

  // Ciphertext that was made and not sent.
  std::string& output() {
    std::array<char, 4096> room;
    for (int count = 1; count > 0;) {
      count = BIO_read(out_, room.data(), room.size());
      if (count > 0) output_.append(room.data(), static_cast<std::size_t>(count));
    }
    return output_;
  }
  // Sends as much as is taken, and lets everything run that can.
  void send() {
    const Bytes piece = output();
    const Result<std::size_t> taken = connection_->try_write(std::span(&piece, 1));
    output_.erase(0, taken.value_or(0));
    world_.settle();
  }
  // The same, and receives.
  void carry() {
    send();
    std::array<char, 4096> room;
    for (;;) {
      const Result<std::size_t> count = connection_->try_read(room);
      if (!count || *count == 0) break;
      BIO_write(in_, room.data(), static_cast<int>(*count));
    }
  }

 private:
  // One for all, since making one takes a millisecond.
  static Library& library() {
    static Library library{Random(9)};
    return library;
  }
  static OwnedContext make_context(Version version, Side side) {
    OwnedContext context(SSL_CTX_new_ex(library().context(), nullptr, TLS_method()));
    if (side == Side::server) show_app(context.get());
    const int wire = version == Version::tls_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
    SSL_CTX_set_min_proto_version(context.get(), wire);
    SSL_CTX_set_max_proto_version(context.get(), wire);
    SSL_CTX_set_options(context.get(), SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    return context;
  }

  // The certificate of "app".
  static void show_app(SSL_CTX* context) {
    const Identity& app = app_identity();
    BIO* const chain = BIO_new_mem_buf(app.chain.data(), static_cast<int>(app.chain.size()));
    BIO* const key = BIO_new_mem_buf(app.key.data(), static_cast<int>(app.key.size()));
    X509* const certificate = PEM_read_bio_X509(chain, nullptr, nullptr, nullptr);
    EVP_PKEY* const secret = PEM_read_bio_PrivateKey(key, nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, secret);
    EVP_PKEY_free(secret);
    X509_free(certificate);
    BIO_free(key);
    BIO_free(chain);
  }

  inmem::World& world_;
  std::unique_ptr<net::Connection> connection_;
  OwnedContext context_;
  OwnedSsl ssl_;
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
  std::string output_;
};

}  // namespace pipette::tls
