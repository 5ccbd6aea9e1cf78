#include "pipette/tls/internal/connection.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <utility>

namespace pipette::tls {
namespace {

using net::Direction;

constexpr std::size_t kMaxRecord = SSL3_RT_MAX_PLAIN_LENGTH;
constexpr std::size_t kMaxOutgoing = 64 * 1024;
// Reading makes ciphertext too, when the peer asks for new keys. One that goes on asking and takes no answer is not
// read any more; far beyond what writing leaves, lest two peers that both write wait for each other.
constexpr std::size_t kMaxUnanswered = 2 * kMaxOutgoing;
// What is read and dropped of a peer whose handshake has failed.
constexpr std::size_t kMaxDropped = 256 * 1024;

// For whoever speaks HTTP where TLS is spoken, as a browser does that is given the wrong scheme.
constexpr Bytes kPlainHttpAnswer =
    "HTTP/1.1 400 Bad Request\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 25\r\n"
    "Connection: close\r\n"
    "\r\n"
    "this port speaks https://";

// What a write is given, as records: a piece that fills one, or stands alone, is not copied.
class Records {
 public:
  explicit Records(std::span<const Bytes> pieces) : pieces_(pieces) { skip_empty(); }

  // Empty at the end.
  Bytes next() {
    if (pieces_.empty()) return {};
    const Bytes rest = pieces_.front().substr(offset_);
    if (rest.size() >= kMaxRecord || pieces_.size() == 1) {
      const Bytes record = rest.substr(0, kMaxRecord);
      skip(record.size());
      return record;
    }
    std::size_t size = 0;
    while (!pieces_.empty() && size < joined_.size()) {
      const Bytes more = pieces_.front().substr(offset_, joined_.size() - size);
      std::memcpy(joined_.data() + size, more.data(), more.size());
      size += more.size();
      skip(more.size());
    }
    return {joined_.data(), size};
  }

 private:
  void skip(std::size_t count) {
    offset_ += count;
    if (offset_ == pieces_.front().size()) {
      pieces_ = pieces_.subspan(1);
      offset_ = 0;
      skip_empty();
    }
  }
  void skip_empty() {
    while (!pieces_.empty() && pieces_.front().empty()) pieces_ = pieces_.subspan(1);
  }

  std::span<const Bytes> pieces_;
  std::size_t offset_ = 0;
  std::array<char, kMaxRecord> joined_;
};

bool is_empty(std::span<const Bytes> pieces) {
  return std::ranges::all_of(pieces, [](Bytes piece) { return piece.empty(); });
}

}  // namespace

Connection::Connection(async::Loop& loop, std::unique_ptr<net::Connection> inner,
                       std::shared_ptr<Generation> generation, OwnedSsl ssl)
    : loop_(loop),
      inner_(std::move(inner)),
      generation_(std::move(generation)),
      ssl_(std::move(ssl)),
      reader_(loop),
      writer_(loop) {
  SSL_set_app_data(ssl_.get(), this);
  BIO* const bio = BIO_new(method());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
}

Connection::~Connection() {
  assert(!reader_.has_waiter() && !writer_.has_waiter());
  if (state_ == State::write_closed && has_unread()) inner_->abort();
  // However it ended, the session may be resumed.
  SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

// ---- handshake ---------------------------------------------------------------------------------------------

Result<void> Connection::try_handshake() {
  if (const auto error = refusal(Direction::read)) return fail(error);
  if (is_flooded()) return fail(Errc::would_block);
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (write_error_) return fail(write_error_);
  if (result == 1) {
    note_pending();
    return {};
  }
  const std::error_code error = failure(result);
  if (error == make_error_code(Errc::would_block)) return fail(error);
  const int reason = ERR_GET_REASON(ERR_peek_error());
  has_met_plain_http_ = reason == SSL_R_HTTP_REQUEST;
  const auto& told = generation_->options().on_failure;
  if (told) told(inner_read_error_ ? inner_read_error_.message() : take_error());
  return fail(error);
}

std::unique_ptr<net::Connection> Connection::part() {
  if (has_met_plain_http_) (void)put(kPlainHttpAnswer);
  flush();
  if (!outgoing_.empty() || !inner_->try_close_write()) return nullptr;
  drop_unread();
  return std::move(inner_);
}

// Closing with unread input resets, which may take along what the peer has just been told.
void Connection::drop_unread() {
  std::array<char, 4096> room;
  for (std::size_t dropped = 0; dropped < kMaxDropped;) {
    const Result<std::size_t> count = inner_->try_read(room);
    if (!count || *count == 0) return;
    dropped += *count;
  }
}

net::SecurityFacts Connection::facts() const {
  net::SecurityFacts facts;
  facts.protocol = SSL_get_version(ssl_.get());
  facts.cipher = SSL_get_cipher_name(ssl_.get());
  facts.is_resumed = SSL_session_reused(ssl_.get()) == 1;
  const unsigned char* alpn = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &alpn, &size);
  if (size > 0) facts.alpn.assign(reinterpret_cast<const char*>(alpn), size);
  const char* const name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  facts.server_name = name != nullptr ? name : server_name_;
  if (X509* const certificate = SSL_get0_peer_certificate(ssl_.get())) {
    unsigned char* der = nullptr;
    const int length = i2d_X509(certificate, &der);
    if (length > 0) facts.peer_certificate.assign(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
    OPENSSL_free(der);
  }
  return facts;
}

// ---- the contract ------------------------------------------------------------------------------------------

Result<std::size_t> Connection::try_read(MutableBytes into) {
  assert(!into.empty());
  if (const auto error = refusal(Direction::read)) return fail(error);
  if (has_ended_) return 0;
  if (read_error_) return fail(read_error_);
  if (is_flooded()) return fail(Errc::would_block);
  ERR_clear_error();
  std::size_t count = 0;
  is_probe_ = into.size() == 1;
  const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
  is_probe_ = false;
  retry_writing();
  if (result == 1) {
    note_pending();
    return count;
  }
  if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN) {
    has_ended_ = true;
    return 0;
  }
  const std::error_code error = failure(result);
  if (error == make_error_code(Errc::would_block)) return fail(error);
  read_error_ = error;
  if (!write_error_) write_error_ = error;
  return fail(error);
}

Result<std::size_t> Connection::try_write(std::span<const Bytes> pieces) {
  if (const auto error = refusal(Direction::write)) return fail(error);
  if (is_empty(pieces)) return 0;
  if (state_ != State::open) return fail(Errc::broken_pipe);
  if (is_full()) flush();
  const std::size_t taken = write_error_ || is_full() ? 0 : encrypt(pieces);
  if (write_error_) return fail(write_error_);
  if (taken == 0) return fail(Errc::would_block);
  return taken;
}

Result<void> Connection::try_close_write() {
  if (const auto error = refusal(Direction::write)) return fail(error);
  if (state_ == State::write_closed) return {};
  if (write_error_) return fail(write_error_);
  if (state_ == State::open) {
    state_ = State::closing;
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // close_notify; the peer's is for whoever reads
  }
  flush();
  if (write_error_) return fail(write_error_);
  if (!outgoing_.empty()) return fail(Errc::would_block);
  const Result<void> closed = inner_->try_close_write();
  if (closed) state_ = State::write_closed;
  return closed;
}

void Connection::wait(Direction direction, net::Waiter& waiter) {
  slot(direction).wait(waiter);
  const bool is_over = state_ == State::aborted;
  if (direction == Direction::read) {
    if (is_over || has_ended_ || read_error_ || (may_have_more_ && !is_flooded())) {
      reader_.wake();
    } else if (!is_flooded()) {
      watch(inner_reader_);
    }
  } else if (writes_want_input_) {
    watch(inner_reader_);
  } else if (is_over || write_error_ || (state_ == State::open && !is_full())) {
    writer_.wake();
  } else {
    watch(inner_writer_);
  }
}

void Connection::set_deadline(Direction direction, TimePoint deadline) { slot(direction).set_deadline(deadline); }

void Connection::abort() {
  if (state_ == State::aborted) return;
  state_ = State::aborted;
  inner_->abort();
  outgoing_.release();
  reader_.wake();
  writer_.wake();
}

std::error_code Connection::refusal(Direction direction) const {
  if (state_ == State::aborted) return make_error_code(Errc::operation_canceled);
  const net::WaitSlot& side = direction == Direction::read ? reader_ : writer_;
  if (side.is_expired()) return make_error_code(Errc::timed_out);
  return {};
}

void Connection::note_pending() { may_have_more_ = SSL_has_pending(ssl_.get()) == 1; }

// Of an operation that did not succeed.
std::error_code Connection::failure(int result) {
  const int kind = SSL_get_error(ssl_.get(), result);
  if (kind == SSL_ERROR_WANT_READ) {
    may_have_more_ = false;
    return make_error_code(Errc::would_block);
  }
  if (inner_read_error_) return inner_read_error_;
  if (kind == SSL_ERROR_SYSCALL || has_inner_ended_) return make_error_code(Errc::connection_reset);
  return make_error_code(failure_of(ssl_.get()));
}

// ---- writing -----------------------------------------------------------------------------------------------

std::size_t Connection::encrypt(std::span<const Bytes> pieces) {
  Records records(pieces);
  std::size_t taken = 0;
  while (!is_full() && !write_error_) {
    const Bytes record = records.next();
    if (record.empty() || !encrypt_record(record)) break;
    taken += record.size();
  }
  return taken;
}

bool Connection::encrypt_record(Bytes record) {
  ERR_clear_error();
  std::size_t written = 0;
  const int result = SSL_write_ex(ssl_.get(), record.data(), record.size(), &written);
  if (result == 1) return true;
  const std::error_code error = failure(result);
  writes_want_input_ = error == make_error_code(Errc::would_block);
  if (!write_error_ && !writes_want_input_) write_error_ = error;
  return false;
}

// What was read may have been what writing waits for.
void Connection::retry_writing() {
  if (std::exchange(writes_want_input_, false)) writer_.wake();
}

// Hands ciphertext to the inner connection, and keeps what that does not take.
bool Connection::put(Bytes ciphertext) {
  if (write_error_) return false;
  if (outgoing_.empty()) {
    const Result<std::size_t> taken = inner_->try_write(std::span(&ciphertext, 1));
    if (taken) {
      ciphertext.remove_prefix(*taken);
    } else if (taken.error() != make_error_code(Errc::would_block)) {
      write_error_ = taken.error();
      return false;
    }
  }
  if (ciphertext.empty()) return true;
  outgoing_.append(ciphertext);
  watch(inner_writer_);
  return true;
}

void Connection::flush() {
  while (!outgoing_.empty()) {
    const Bytes ciphertext = outgoing_.readable();
    const Result<std::size_t> taken = inner_->try_write(std::span(&ciphertext, 1));
    if (!taken && taken.error() == make_error_code(Errc::would_block)) return watch(inner_writer_);
    if (!taken) write_error_ = taken.error();
    outgoing_.consume(taken ? *taken : outgoing_.size());
  }
  outgoing_.release();
}

bool Connection::is_full() const { return outgoing_.size() >= kMaxOutgoing; }
bool Connection::is_flooded() const { return outgoing_.size() >= kMaxUnanswered; }

// Whether something has come that nobody has read: closing tells the peer of that with a reset.
bool Connection::has_unread() {
  if (has_ended_ || read_error_) return false;
  char octet = 0;
  std::size_t count = 0;
  ERR_clear_error();
  return SSL_peek_ex(ssl_.get(), &octet, 1, &count) == 1;
}

void Connection::watch(InnerWait& wait) {
  if (!wait.is_linked()) inner_->wait(wait.direction, wait);
}

void Connection::wake_from_inner(Direction direction) {
  if (direction == Direction::read) {
    reader_.wake();
    return retry_writing();
  }
  const bool was_flooded = is_flooded();
  flush();
  if (was_flooded && !is_flooded()) reader_.wake();
  if (outgoing_.empty() || (state_ == State::open && !is_full())) writer_.wake();
}

// ---- the BIO -----------------------------------------------------------------------------------------------

const BIO_METHOD* Connection::method() {
  static BIO_METHOD* const kMethod = [] {
    BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pipette connection");
    BIO_meth_set_write_ex(made, bio_write);
    BIO_meth_set_read_ex(made, bio_read);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return kMethod;
}

int Connection::bio_write(BIO* bio, const char* data, std::size_t size, std::size_t* written) {
  auto& connection = *static_cast<Connection*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  *written = size;
  return connection.put({data, size}) ? 1 : 0;
}

int Connection::bio_read(BIO* bio, char* into, std::size_t size, std::size_t* count) {
  auto& connection = *static_cast<Connection*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  *count = 0;
  if (connection.is_flooded()) {  // within one operation too, which goes on as long as there are records
    BIO_set_retry_read(bio);
    return 0;
  }
  // A single octet is how somebody asks whether the peer is still there, and so do we (net/connection.h).
  const std::size_t asked = std::exchange(connection.is_probe_, false) ? 1 : size;
  const Result<std::size_t> read = connection.inner_->try_read(MutableBytes(into, asked));
  if (!read) {
    if (read.error() == make_error_code(Errc::would_block)) {
      BIO_set_retry_read(bio);
    } else {
      connection.inner_read_error_ = read.error();
    }
    return 0;
  }
  connection.has_inner_ended_ = *read == 0;
  *count = *read;
  return *read > 0 ? 1 : 0;
}

long Connection::bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return static_cast<Connection*>(BIO_get_data(bio))->has_inner_ended_ ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

}  // namespace pipette::tls
