// A connection secured by TLS, over any other. See net/connection.h for the rules, which it keeps.
//
//   try_write(pieces) ─> records of 16 KiB ─> BIO ─> inner.try_write ─┬─> gone
//                                                                     └─> outgoing_, up to 64 KiB and a record:
//                                                                         beyond that, would_block
//   try_read(into) <─ one record <─ BIO <─ inner.try_read, as much as there is
//
// The BIO is ours. It never refuses what OpenSSL writes, so an operation of OpenSSL's waits for input or for nothing,
// and nothing is ever encrypted twice. (Writing waits for input too where the peer has sent half of a KeyUpdate.) What
// the inner connection has not taken goes with the next wake of it, whether or not anybody waits above.
//
// Closing one direction sends close_notify, and then closes that direction of the inner connection; reading goes on. An
// end of the inner stream without close_notify is a truncation: connection_reset (RFC 8446 §6.1).
//
// While it idles it holds no buffer: OpenSSL gives its own back, and outgoing_ exists only under back-pressure.
//
// Threads  the loop's.
#pragma once

#include <memory>
#include <string>
#include <system_error>

#include "pipette/base/buffer.h"
#include "pipette/net/connection.h"
#include "pipette/net/security.h"
#include "pipette/net/wait_slot.h"
#include "pipette/tls/internal/generation.h"
#include "pipette/tls/internal/openssl.h"

namespace pipette::tls {

class Connection final : public net::Connection {
 public:
  Connection(async::Loop& loop, std::unique_ptr<net::Connection> inner, std::shared_ptr<Generation> generation,
             OwnedSsl ssl);
  ~Connection() override;

  // Goes on with the handshake; would_block: wait for Direction::read, and call it again.
  Result<void> try_handshake();
  // After a handshake that failed: sends the alert and the end behind it. Returns the inner connection, whose peer may
  // not have read that yet; null: it could not be sent.
  std::unique_ptr<net::Connection> part();
  net::SecurityFacts facts() const;
  // Whether what came first was a request in plain HTTP.
  bool has_met_plain_http() const { return has_met_plain_http_; }

  Result<std::size_t> try_read(MutableBytes into) override;
  Result<std::size_t> try_write(std::span<const Bytes> pieces) override;
  Result<void> try_close_write() override;
  void wait(net::Direction direction, net::Waiter& waiter) override;
  void set_deadline(net::Direction direction, TimePoint deadline) override;
  void abort() override;

  static Connection& of(const SSL* ssl) { return *static_cast<Connection*>(SSL_get_app_data(ssl)); }
  async::Loop& loop() const { return loop_; }
  const Generation& generation() const { return *generation_; }
  // What a client calls the server.
  const std::string& server_name() const { return server_name_; }
  void set_server_name(std::string name) { server_name_ = std::move(name); }

 private:
  enum class State : unsigned char { open, closing, write_closed, aborted };

  struct InnerWait final : net::Waiter {
    InnerWait(Connection& owner, net::Direction where) : connection(owner), direction(where) {}
    void run() override { connection.wake_from_inner(direction); }
    Connection& connection;
    net::Direction direction;
  };

  // Why a try in that direction is hopeless from the start; no error when it is not.
  std::error_code refusal(net::Direction direction) const;
  void note_pending();
  std::error_code failure(int result);
  std::size_t encrypt(std::span<const Bytes> pieces);
  bool encrypt_record(Bytes record);
  void retry_writing();
  void flush();
  void drop_unread();
  bool is_full() const;
  bool is_flooded() const;
  bool has_unread();
  void watch(InnerWait& wait);
  void wake_from_inner(net::Direction direction);
  net::WaitSlot& slot(net::Direction direction) { return direction == net::Direction::read ? reader_ : writer_; }

  // ---- the BIO
  static const BIO_METHOD* method();
  static int bio_write(BIO* bio, const char* data, std::size_t size, std::size_t* written);
  static int bio_read(BIO* bio, char* into, std::size_t size, std::size_t* count);
  static long bio_control(BIO* bio, int command, long number, void* pointer);
  bool put(Bytes ciphertext);

  async::Loop& loop_;
  std::unique_ptr<net::Connection> inner_;
  std::shared_ptr<Generation> generation_;
  OwnedSsl ssl_;
  std::string server_name_;
  net::WaitSlot reader_;
  net::WaitSlot writer_;
  InnerWait inner_reader_{*this, net::Direction::read};
  InnerWait inner_writer_{*this, net::Direction::write};
  Buffer outgoing_;
  State state_ = State::open;
  bool may_have_more_ = false;      // OpenSSL holds octets, perhaps a whole record
  bool writes_want_input_ = false;  // the peer has sent half of a message about keys
  bool is_probe_ = false;           // the read under way asks for a single octet
  bool has_inner_ended_ = false;
  bool has_ended_ = false;
  bool has_met_plain_http_ = false;
  std::error_code inner_read_error_;
  std::error_code read_error_;   // final
  std::error_code write_error_;  // final
};

}  // namespace pipette::tls
