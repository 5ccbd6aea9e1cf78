#include "pipette/lab/call.h"

#include <system_error>
#include <utility>

#include "pipette/base/buffer.h"
#include "pipette/client/options.h"
#include "pipette/http/message_writer.h"
#include "pipette/http/status.h"
#include "pipette/http/uri.h"
#include "pipette/inmem/world.h"
#include "pipette/lab/lab.h"
#include "pipette/lab/message.h"
#include "pipette/net/wait_slot.h"
#include "pipette/server/worker.h"

namespace pipette::lab {
namespace {

constexpr std::string_view kHost = "http://app";
constexpr Duration kLongestCall = std::chrono::hours(24);

// Who a handler sees at the ends of its connection.
const std::array<std::uint8_t, 4> kClientIp = {10, 0, 0, 1};
const std::array<std::uint8_t, 4> kServerIp = {10, 0, 1, 1};
constexpr std::uint16_t kClientPort = 49152;
constexpr std::uint16_t kServerPort = 80;

// What goes in and comes out. Outlives its connection, which the session owns.
struct Wire {
  Bytes request;  // what was not read yet
  bool is_finished = false;
  std::string response;
  net::WaitSlot* reader = nullptr;  // while the connection lives

  void finish() {
    is_finished = true;
    if (reader != nullptr) reader->wake();
  }
};

// Never has to wait but for the end of the request, and knows no deadline: nothing in it takes time.
class WireEnd final : public net::Connection {
 public:
  WireEnd(async::Loop& loop, Wire& wire) : wire_(wire), reader_(loop) { wire.reader = &reader_; }
  ~WireEnd() override { wire_.reader = nullptr; }

  Result<std::size_t> try_read(MutableBytes into) override {
    if (is_aborted_) return fail(Errc::operation_canceled);
    if (wire_.request.empty() && !wire_.is_finished) return fail(Errc::would_block);
    const std::size_t count = wire_.request.copy(into.data(), into.size());
    wire_.request.remove_prefix(count);
    return count;
  }
  Result<std::size_t> try_write(std::span<const Bytes> pieces) override {
    if (is_aborted_) return fail(Errc::operation_canceled);
    const std::size_t before = wire_.response.size();
    for (const Bytes piece : pieces) wire_.response += piece;
    return wire_.response.size() - before;
  }
  Result<void> try_close_write() override { return {}; }
  void wait(net::Direction, net::Waiter& waiter) override {
    reader_.wait(waiter);
    if (is_aborted_ || wire_.is_finished) reader_.wake();
  }
  void set_deadline(net::Direction, TimePoint) override {}
  void abort() override {
    is_aborted_ = true;
    reader_.wake();
  }

 private:
  Wire& wire_;
  net::WaitSlot reader_;
  bool is_aborted_ = false;
};

[[noreturn]] void refuse(std::error_code error, const client::Request& request) {
  throw std::system_error(error, std::string(http::to_string(request.method)) + " " + request.url);
}

// As a client with default options writes it.
void write(const client::Request& request, const std::string& agent, Buffer& out) {
  const std::string whole = request.url.starts_with('/') ? std::string(kHost) + request.url : request.url;
  const Result<http::HttpUrl> url = http::parse_http_url(whole);
  if (!url) refuse(url.error(), request);
  if (request.method == http::Method::connect || request.method == http::Method::other) {
    refuse(make_error_code(Errc::bad_method), request);
  }
  const http::Fields& fields = request.fields.view();
  if (fields.contains(http::FieldName::content_length) || fields.contains(http::FieldName::transfer_encoding)) {
    refuse(make_error_code(Errc::managed_field), request);
  }
  http::RequestHeadParts parts;
  parts.method = request.method;
  parts.target = http::RequestTarget::of_parsed(url->authority, url->target);
  parts.fields = request.fields;
  parts.user_agent = http::FieldValue::checked(agent);
  parts.length = request.body.size();
  const Result<http::BodyLength> written = http::write_request_head(out, parts, request.body);
  if (!written) refuse(written.error(), request);
}

}  // namespace

struct Caller::State {
  explicit State(const Server& server) : worker(server, world.runtime()) {}

  const std::string& exchange(Bytes octets);
  void run(const Task<>& session, Wire& wire);

  inmem::World world;
  server::Worker worker;
  const std::string agent = client::ClientOptions().user_agent;
  Buffer request;
  std::string response;  // whose memory is used again
};

const std::string& Caller::State::exchange(Bytes octets) {
  response.clear();
  Wire wire{octets, false, std::move(response), nullptr};
  net::Connected connected{std::make_unique<WireEnd>(world.loop(), wire), net::Address::ipv4(kServerIp, kServerPort),
                           net::Address::ipv4(kClientIp, kClientPort)};
  Task<> session = worker.serve_connection(std::move(connected));
  session.start();
  run(session, wire);
  session.await_resume();
  response = std::move(wire.response);
  return response;
}

// To the end of the session. The client finishes when nothing else can happen any more.
void Caller::State::run(const Task<>& session, Wire& wire) {
  world.scheduler().forget_steps();  // of the calls before, none of which may have moved the clock
  const TimePoint latest = after(world.now(), kLongestCall);
  while (!session.done()) {
    if (world.now() > latest) throw Stuck("the handler has not returned after a day");
    if (world.step()) continue;
    if (wire.is_finished) throw Stuck("the handler waits for what never comes");
    wire.finish();
  }
}

Caller::Caller(const Server& server) : state_(std::make_unique<State>(server)) {}
Caller::~Caller() = default;

std::string Caller::answer_to(Bytes octets) { return state_->exchange(octets); }

client::Response Caller::call(const client::Request& request) {
  state_->request.clear();
  write(request, state_->agent, state_->request);
  Bytes octets = state_->exchange(state_->request.readable());
  for (;;) {
    Result<FoundResponse> found = find_response(octets, request.method, true);
    if (!found) refuse(found.error(), request);
    if (!http::is_interim(found->response.status)) return std::move(found->response);
    octets.remove_prefix(found->size);
  }
}

client::Response call(const Server& server, const client::Request& request) { return Caller(server).call(request); }

client::Response call(Handler handler, const client::Request& request) {
  const Server server(std::move(handler));
  return call(server, request);
}

std::string answer_to(const Server& server, Bytes octets) { return Caller(server).answer_to(octets); }

}  // namespace pipette::lab
