// What is counted, once and as what it is, and how a scraper sees it.
#include "pipette/server/metrics.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/lab/gtest.h"
#include "pipette/server/timeout.h"

#include "tests/support/door.h"
#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::get;
using test::kGet;
using test::post;
using test::Serving;
using testing::ElementsAre;
using testing::IsSupersetOf;

Task<> act(RequestCtx& ctx) {
  (void)co_await ctx.read_body();
  if (ctx.path() == "/late") co_await ctx.sleep(1h);
  if (ctx.path() == "/deaf") co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1min));
  if (ctx.path() == "/second") co_await ctx.sleep(1s);
  if (ctx.path() == "/throws") throw std::runtime_error("no");
  if (ctx.path() == "/hijack") {
    ctx.hijack([](HijackedConnection connection) -> Task<> {
      std::array<char, 1> room;
      (void)co_await connection.stream->read_some(room);
    });
  }
  if (ctx.path() == "/stream") (void)co_await ctx.write(std::string(10'000, 'x'));
  if (ctx.path() == "/none") co_return ctx.not_found();
  ctx.set_body(std::string(ctx.path() == "/large" ? 100'000 : 5, 'x'));
}

// ---- octets --------------------------------------------------------------------------------------------------

TEST(Metrics, CountEveryOctetOnce) {
  const std::string chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n";
  const std::vector<std::vector<std::string>> conversations = {
      {""},
      {std::string(kGet)},
      {get("/") + get("/none") + get("/large") + get("/stream")},
      {get("/"), "GET / HT", "TP/1.1\r\nHost: a\r\n\r\n", "\r\n"},
      {post("/", "text/plain", "body") + get("/")},
      {chunked, "3\r\ntwo\r\n0\r\n", "X-Trailer: 1\r\n\r\n" + get("/")},
      {get("/second"), get("/second") + get("/"), post("/", "text/plain", std::string(5'000, 'b'))},
      {"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", "one"},
      {"nonsense\r\n\r\n"},
      {get("/hijack")},
  };
  for (const bool is_streaming : {false, true}) {
    for (const auto& conversation : conversations) {
      ServerOptions options;
      options.stream_request_body = is_streaming;
      Serving app(act, options);
      Peer peer = app.connect();
      std::size_t sent = 0;
      for (const std::string& words : conversation) {
        peer.send(words);
        sent += words.size();
        app.lab().settle();
      }
      app.lab().advance(3s);
      const std::size_t received = peer.received().size();
      EXPECT_EQ(app.worker().metrics().bytes_sent.get(), received) << conversation[0];
      peer.close_write();
      app.lab().settle();
      EXPECT_EQ(app.worker().metrics().bytes_sent.get(), received) << conversation[0];
      EXPECT_EQ(app.worker().metrics().bytes_received.get(), sent) << conversation[0];
    }
  }
}

// ---- gauges --------------------------------------------------------------------------------------------------

TEST(Metrics, ShowHowManyConnectionsHaveARequestUnderWay) {
  Serving app(act);
  const Metrics& metrics = app.worker().metrics();
  Peer silent = app.connect();
  Peer half = app.connect();
  half.send("GET / HT");
  Peer busy = app.connect();
  busy.send(get("/second"));
  Peer idle = app.connect();
  idle.send(kGet);
  app.lab().settle();
  EXPECT_EQ(metrics.open_connections.get(), 4U);
  EXPECT_EQ(metrics.active_connections.get(), 2U);
  app.lab().advance(1s);
  EXPECT_EQ(metrics.active_connections.get(), 1U);
  half.abort();
  app.lab().settle();
  EXPECT_EQ(metrics.active_connections.get(), 0U);
  EXPECT_EQ(metrics.open_connections.get(), 3U);
}

TEST(Metrics, OfAServerAreThoseOfItsWorkersAndOfThoseThatAreGone) {
  const Server server(act);
  Lab lab;
  lab.serve(server, "one:80");
  Worker& other = lab.serve(server, "other:80");
  for (const std::string_view address : {"one:80", "other:80"}) {
    Peer peer = lab.connect(address);
    peer.send(kGet);
    peer.expect_response(200);
  }
  EXPECT_EQ(other.metrics().exchanges.get(), 1U);
  EXPECT_EQ(server.metrics().exchanges, 2U);
  {
    Worker third(server, lab.runtime());
    auto [connected, peer] = test::wire(lab);
    peer.send(get("/second"));
    Task<> session = third.serve_connection(std::move(connected));
    session.start();
    lab.advance(1s);
    peer.expect_response(200);
    peer.send(get("/second"));
    lab.settle();
    EXPECT_EQ(server.metrics().exchanges, 3U);
    EXPECT_EQ(server.metrics().active_connections, 1U);
    peer.abort();
    lab.advance(1s);
  }
  EXPECT_EQ(server.metrics().exchanges, 4U) << "those of a worker that is gone stay";
  EXPECT_EQ(server.metrics().active_connections, 0U);
  EXPECT_EQ(server.metrics().accepted, 3U);
}

// ---- Prometheus ----------------------------------------------------------------------------------------------

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

TEST(Metrics, AreReadByPrometheus) {
  ServerOptions options;
  options.concurrency = 7;
  options.max_overdue_handlers = 1;
  const Server server(timeout(act, 2s), [&] {
    options.log = [](std::string_view) {};
    return options;
  }());
  Lab lab;
  Worker& worker = lab.serve(server, "app:80");
  std::vector<Peer> peers;
  const auto say = [&](const std::string& words) {
    peers.push_back(lab.connect("app:80"));
    peers.back().send(words);
    lab.settle();
  };
  say(get("/") + get("/none") + get("/throws"));
  say("nonsense\r\n\r\n");
  say(get("/hijack"));
  say("GET / HT");
  say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
  say(get("/deaf"));
  lab.advance(5s);
  say(get("/"));  // while too many are late
  lab.advance(5s);
  for (int i = 0; i < 8; ++i) say("");
  const std::vector<std::string> lines = lines_of(to_prometheus(server.metrics()));
  std::vector<std::string> values;
  for (const std::string& line : lines) {
    if (!line.starts_with('#') && !line.contains("latency") && !line.contains("bytes")) values.push_back(line);
  }
  EXPECT_THAT(
      values,
      ElementsAre("pipette_accepted_total 15", "pipette_accept_errors_total 0", "pipette_connections_shed_total 0",
                  "pipette_rejected_concurrency_total 5", "pipette_rejected_per_ip_total 0",
                  "pipette_open_connections 7", "pipette_active_connections 0", "pipette_hijacked 1",
                  "pipette_evicted_total 0", "pipette_cut_total 0", "pipette_tls_handshakes_total 0",
                  "pipette_tls_handshake_failures_total 0", "pipette_tls_handshake_timeouts_total 0",
                  "pipette_exchanges_total 6", "pipette_refused_total 3", "pipette_rejected_swamped_total 1",
                  "pipette_handlers_threw_total 1", "pipette_handlers_overran_total 0", "pipette_handlers_overdue 1",
                  "pipette_idle_timeouts_total 0", "pipette_read_header_timeouts_total 1",
                  "pipette_read_timeouts_total 0", "pipette_read_body_rate_timeouts_total 1",
                  "pipette_handler_timeouts_total 1", "pipette_write_timeouts_total 0",
                  "pipette_write_rate_timeouts_total 0", "pipette_responses_total{class=\"1xx\"} 0",
                  "pipette_responses_total{class=\"2xx\"} 2", "pipette_responses_total{class=\"3xx\"} 0",
                  "pipette_responses_total{class=\"4xx\"} 4", "pipette_responses_total{class=\"5xx\"} 3"));
  EXPECT_THAT(lines, IsSupersetOf({std::string("# TYPE pipette_accepted_total counter"),
                                   std::string("# TYPE pipette_open_connections gauge"),
                                   std::string("# TYPE pipette_responses_total counter")}));
  peers.clear();
  lab.advance(1min);
  EXPECT_EQ(worker.metrics().handlers_overdue.get(), 0U);
}

TEST(Metrics, SortExchangesByTheTimeTheyTook) {
  Serving app(act);
  Peer peer = app.connect();
  peer.send(get("/") + get("/second") + get("/"));
  app.lab().advance(1s);
  const MetricsSnapshot seen = [&] {
    MetricsSnapshot sum;
    add_to(sum, app.worker().metrics());
    return sum;
  }();
  EXPECT_EQ(seen.latency.buckets[0], 2U);
  EXPECT_EQ(seen.latency.buckets[20], 1U) << "2^19 us < 1 s < 2^20 us";
  EXPECT_EQ(std::accumulate(seen.latency.buckets.begin(), seen.latency.buckets.end(), std::uint64_t{0}), 3U);
  EXPECT_EQ(seen.latency.sum, 1'000'000'000U);
  std::vector<std::string> counts;
  for (const std::string& line : lines_of(to_prometheus(seen))) {
    if (line.contains("latency") && !line.starts_with('#')) counts.push_back(line.substr(line.find(' ') + 1));
  }
  ASSERT_EQ(counts.size(), kLatencyBuckets + 3) << "the last three are those of all, their sum, their count";
  EXPECT_EQ(counts[19], "2");
  EXPECT_EQ(counts[20], "3");
  EXPECT_EQ(counts[kLatencyBuckets + 1], "1.000000000");
  EXPECT_EQ(counts.back(), "3");
}

}  // namespace
}  // namespace pipette::server
