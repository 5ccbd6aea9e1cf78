// The whole server in a world: a client sends any octets, in any pieces. Any split gives the answers that the whole
// gives; each answer is a response; nothing stays open once every deadline has passed.
#include <string>

#include "pipette/http/framing.h"
#include "pipette/http/head_parser.h"
#include "pipette/inmem/world.h"
#include "pipette/lab/lab.h"

#include "fuzz/input.h"
#include "fuzz/require.h"

namespace pipette::fuzz {
namespace {

void echo(RequestCtx& ctx) {
  if (ctx.path() == "/throw") throw std::runtime_error("asked for");
  ctx.set_body(ctx.target());
  ctx.append_body("\n");
  ctx.append_body(ctx.query("q").value_or("-"));
  ctx.append_body(ctx.body());
}

ServerOptions options() {
  ServerOptions options;
  options.log = [](std::string_view) {};
  options.max_request_body_bytes = 1000;
  options.head.max_head_bytes = 2000;
  return options;
}

// What the server answers to `pieces`, until it has closed the connection or every deadline has passed.
std::string answers(const test::Pieces& pieces, bool closes_write) {
  const Server server(echo, options());
  Lab lab;
  lab.world().log().set_recording(false);
  server::Worker& worker = lab.serve(server, "app:80");
  Peer peer = lab.connect("app:80");
  for (const std::string_view piece : pieces) peer.send(piece);
  if (closes_write) peer.close_write();
  std::string received = peer.received();
  lab.advance(std::chrono::minutes(10));
  received = peer.received();
  require(peer.closed());
  require(worker.open_connections() == 0);
  return received;
}

// Every octet the server sends belongs to a response of the status that its table knows, and nothing follows the last.
void require_responses(std::string received) {
  std::string_view octets = received;
  while (!octets.empty()) {
    http::ResponseParser parser;
    http::ResponseHead head;
    const Result<std::size_t> size = parser.parse(MutableBytes(received).last(octets.size()), head);
    require(size && *size > 0);
    require(head.status == 100 || head.status == 200 || head.status >= 400);
    octets.remove_prefix(*size);
    if (head.status == 100) continue;
    const Result<http::BodyLength> length = http::body_length(head, http::Method::get);
    require(length.has_value());
    // A HEAD request is answered without its body; then the next response, or nothing, follows at once.
    if (octets.starts_with("HTTP/1.1 ") || octets.empty()) continue;
    require(length->size <= octets.size());
    octets.remove_prefix(length->size);
  }
}

// Whether a client is told to go on depends on how much it has sent already, so on the cuts.
std::string without_continue(std::string octets) {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  for (std::size_t at = octets.find(kContinue); at != std::string::npos; at = octets.find(kContinue, at)) {
    octets.erase(at, kContinue.size());
  }
  return octets;
}

void run(const Input& input) {
  const bool closes_write = (input.choice & 1) != 0;
  const std::string whole = answers({input.octets}, closes_write);
  require(without_continue(whole) == without_continue(answers(input.pieces, closes_write)));
  require_responses(whole);
}

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pipette::fuzz::run({data, size});
  return 0;
}
