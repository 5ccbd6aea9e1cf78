// What docs/guide-from-go.md shows: its blocks line for line, and each piece of code in the last column of its tables.
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/async/stop.h"
#include "pipette/async/task_group.h"
#include "pipette/client/client.h"
#include "pipette/client/cookie_jar.h"
#include "pipette/client/credentials.h"
#include "pipette/client/host_client.h"
#include "pipette/client/lb_client.h"
#include "pipette/client/pipeline_client.h"
#include "pipette/client/upload.h"
#include "pipette/coding/decoder.h"
#include "pipette/lab/call.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/lab.h"
#include "pipette/lab/matchers.h"
#include "pipette/lab/scripted_server.h"
#include "pipette/net/close.h"
#include "pipette/server/blocking.h"
#include "pipette/server/timeout.h"
#include "pipette/server/worker.h"

using namespace pipette;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Optional;

namespace {

client::Request get(std::string url) {
  client::Request request;
  request.url = std::move(url);
  return request;
}

// ---- handlers ----------------------------------------------------------------------------------------------

void hello(RequestCtx& ctx) { ctx.set_body("Hello, " + ctx.query("name").value_or("world") + "!"); }

void route(RequestCtx& ctx) {
  if (ctx.path() == "/hello") return hello(ctx);
  if (ctx.path() == "/old") return (void)ctx.redirect("/hello");
  ctx.not_found();
}

struct Greeter {
  std::string greeting;

  void greet(RequestCtx& ctx) const { ctx.set_body(greeting + ", " + ctx.query("name").value_or("world") + "!"); }
};

void in_any_order(RequestCtx& ctx) {
  ctx.set_body("a first part\n");
  (void)ctx.set_header("X-Kind", "example");
  ctx.append_body("and a second\n");
  ctx.set_body("something else altogether");
  ctx.set_status(404);
}

Task<> slow(RequestCtx& ctx) {
  const async::StopReason why = co_await ctx.sleep(10s);
  if (why != async::StopReason::none) co_return;  // who asked is gone, or the time is over
  ctx.set_body("done");
}

Task<> front(RequestCtx& ctx, Client& client) {
  const Result<client::Response> page = co_await client.get("http://back/", ctx.call_options());
  if (!page) co_return ctx.error(502, page.error().message());
  ctx.set_body(page->body);
}

TEST(GuideFromGo, RoutesByPath) {
  Lab lab;
  lab.serve(route, "app:80");
  EXPECT_EQ(lab.get("http://app/hello?name=Ada").body, "Hello, Ada!");
  EXPECT_EQ(lab.get("http://app/old").header("Location"), "http://app/hello");
  EXPECT_EQ(lab.get("http://app/none").status, 404);
}

TEST(GuideFromGo, HasMethodsOfObjectsForHandlers) {
  const Greeter greeter{"Good morning"};
  Server server([&greeter](RequestCtx& ctx) { greeter.greet(ctx); });
  Lab lab;
  lab.serve(server, "app:80");
  EXPECT_EQ(lab.get("http://app/").body, "Good morning, world!");
}

TEST(GuideFromGo, SetsAResponseInAnyOrder) {
  const client::Response page = lab::call(in_any_order, get("/"));
  EXPECT_EQ(page.status, 404);
  EXPECT_EQ(page.header("X-Kind"), "example");
  EXPECT_EQ(page.body, "something else altogether");
}

TEST(GuideFromGo, StopsWhatNobodyWaitsFor) {
  Lab lab;
  const server::Worker& worker = lab.serve(slow, "app:80");
  Peer peer = lab.connect("app:80");
  peer.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
  lab.advance(1s);
  peer.abort();
  lab.settle();
  EXPECT_EQ(worker.open_connections(), 0U) << "its handler has ended too";
}

TEST(GuideFromGo, CallsForTheSakeOfARequest) {
  Lab lab;
  Client client(lab.runtime_of(*net::Address::parse("app:80")));
  lab.serve(hello, "back:80");
  lab.serve([&client](RequestCtx& ctx) { return front(ctx, client); }, "app:80");
  EXPECT_EQ(lab.get("http://app/").body, "Hello, world!");
}

// ---- the request -------------------------------------------------------------------------------------------

TEST(GuideFromGo, ReadsARequest) {
  const auto act = [](RequestCtx& ctx) {
    EXPECT_EQ(ctx.body(), "b=2&c=3");
    EXPECT_EQ(ctx.path(), "/a b");
    EXPECT_EQ(ctx.path_original(), "/a%20b");
    EXPECT_EQ(ctx.target(), "/a%20b?a=1&b=0");
    EXPECT_EQ(ctx.query(), "a=1&b=0");
    EXPECT_TRUE(ctx.uri());
    EXPECT_EQ(ctx.method(), http::Method::post);
    EXPECT_EQ(ctx.method_text(), "POST");
    EXPECT_TRUE(ctx.is_post());
    EXPECT_FALSE(ctx.is_http_1_0());
    EXPECT_GE(ctx.headers().size(), 5U);
    EXPECT_EQ(ctx.header("X-Probe"), "yes");
    EXPECT_EQ(ctx.host(), "app");
    EXPECT_EQ(ctx.query("a"), "1");
    EXPECT_EQ(ctx.query_args().value()->get_uint("a"), 1U);
    EXPECT_EQ(ctx.post_args().value()->get("c"), "3");
    EXPECT_EQ(ctx.form_value("b"), "0");
    EXPECT_EQ(ctx.remote_address().port(), ctx.remote_address().port());
    EXPECT_EQ(ctx.remote_ip(), ctx.remote_address().ip_text());
    EXPECT_EQ(ctx.local_address().port(), 80);
    EXPECT_EQ(ctx.tls(), nullptr);
    EXPECT_FALSE(ctx.is_tls());
    EXPECT_EQ(ctx.cookie("sid"), "31d4");
    EXPECT_EQ(ctx.referer(), "http://app/");
    EXPECT_EQ(ctx.user_agent(), "guide");
    EXPECT_EQ(ctx.content_type(), "application/x-www-form-urlencoded");
    EXPECT_EQ(ctx.basic_auth().value().user, "ada");
    EXPECT_FALSE(ctx.bearer_token());
    EXPECT_EQ(ctx.connection_id(), 1U);
    EXPECT_EQ(ctx.request_number(), 1U);
    EXPECT_EQ(ctx.id(), 0x1'0000'0001U);
    EXPECT_LE(ctx.connected_at(), ctx.started_at());
    ctx.set_remote_address(*net::Address::parse("192.0.2.1:1"));
    EXPECT_EQ(ctx.remote_ip(), "192.0.2.1");
    EXPECT_TRUE(ctx.if_modified_since(WallTime()));
    const http::Representation current;
    EXPECT_EQ(ctx.evaluate_conditions(current), http::Verdict::proceed);
    ctx.log("a line");
    ctx.set_user_value("user", std::string("ada"));
    EXPECT_EQ(*ctx.user_value<std::string>("user"), "ada");
    EXPECT_TRUE(ctx.remove_user_value("user"));
    ctx.set_body("seen");
  };
  Lab lab;
  lab.serve(act, "app:80", lab::quiet());
  client::Request request;
  request.method = http::Method::post;
  request.url = "http://app/a%20b?a=1&b=0";
  request.fields.set("X-Probe", "yes").value();
  request.fields.set("Referer", "http://app/").value();
  request.fields.set("User-Agent", "guide").value();
  request.fields.set("Cookie", "sid=31d4").value();
  client::set_basic(request, "ada", "secret").value();
  http::Args args;
  args.add("b", "2");
  args.add("c", "3");
  client::set_form(request, args).value();
  EXPECT_EQ(lab.call(request).body, "seen");
}

TEST(GuideFromGo, ReadsAnUpload) {
  const auto act = [](RequestCtx& ctx) {
    http::MultipartLimits limits;
    EXPECT_TRUE(ctx.multipart_form(limits));
    EXPECT_EQ(ctx.multipart_form().value()->value("title"), "Pipettes");
    const http::FormFile* photo = ctx.form_file("photo");
    ASSERT_NE(photo, nullptr);
    EXPECT_EQ(photo->filename, "a.png");
    ctx.set_body(photo->content);
  };
  Lab lab;
  lab.serve(act, "app:80");
  client::Request request;
  request.method = http::Method::post;
  request.url = "http://app/";
  const client::Part parts[] = {{.name = "title", .content = "Pipettes"},
                                {.name = "photo", .content = "octets", .filename = "a.png"}};
  Random random = lab.runtime().random("forms");
  client::set_multipart(request, parts, random).value();
  EXPECT_EQ(lab.call(request).body, "octets");
}

Task<> read_pieces(RequestCtx& ctx) {
  const Result<std::string_view> piece = co_await ctx.read_body();
  if (!piece) co_return ctx.error(400, piece.error().message());
  const std::size_t first = piece->size();
  const Result<std::string_view> rest = co_await ctx.read_whole_body();
  if (!rest) co_return ctx.error(400, rest.error().message());
  ctx.set_body(std::to_string(first > 0) + " " + std::to_string(ctx.trailers().size()));
}

TEST(GuideFromGo, ReadsABodyAsItComes) {
  ServerOptions options;
  options.stream_request_body = true;
  Lab lab;
  lab.serve(read_pieces, "app:80", options);
  EXPECT_EQ(lab.post("http://app/", "text/plain", std::string(100'000, 'x')).body, "1 0");
}

// ---- the response ------------------------------------------------------------------------------------------

TEST(GuideFromGo, MakesAResponse) {
  const auto act = [](RequestCtx& ctx) {
    (void)ctx.set_header("X-Kind", "example");
    (void)ctx.add_header("X-Kind", "another");
    ctx.remove_header("X-Kind");
    (void)ctx.set_header("X-Kind", "the last");
    EXPECT_EQ(ctx.response_header("X-Kind"), "the last");
    EXPECT_EQ(ctx.response_headers().size(), 1U);
    (void)ctx.set_content_type("text/html");
    http::SetCookie cookie("sid", "31d4");
    cookie.http_only = true;
    (void)ctx.set_cookie(cookie);
    (void)ctx.delete_client_cookie("old");
    ctx.set_status(201);
    ctx.append_body("<p>one");
    ctx.append_body("<p>two");
    EXPECT_EQ(ctx.response_body(), "<p>one<p>two");
    ctx.set_connection_close();
  };
  const client::Response page = lab::call(act, get("/"));
  EXPECT_EQ(page.status, 201);
  EXPECT_EQ(page.header("Content-Type"), "text/html");
  EXPECT_EQ(page.header("X-Kind"), "the last");
  EXPECT_EQ(page.header("Set-Cookie"), "sid=31d4; HttpOnly");
  EXPECT_EQ(page.header("Connection"), "close");
  EXPECT_EQ(page.body, "<p>one<p>two");
}

TEST(GuideFromGo, AnswersAllAtOnce) {
  struct Case {
    Handler handler;
    int status;
    std::string_view body;
  };
  Case cases[] = {
      {[](RequestCtx& ctx) { ctx.error(400, "no such thing"); }, 400, "no such thing"},
      {[](RequestCtx& ctx) { ctx.not_found(); }, 404, "404 page not found"},
      {[](RequestCtx& ctx) { ctx.not_modified(); }, 304, ""},
      {[](RequestCtx& ctx) { (void)ctx.redirect("/new", 301); }, 301, ""},
      {[](RequestCtx& ctx) { (void)ctx.success("text/plain", "well"); }, 200, "well"},
      {[](RequestCtx& ctx) { ctx.set_body_view("a literal"); }, 200, "a literal"},
      {[](RequestCtx& ctx) { ctx.set_body("x"), ctx.reset_body(); }, 200, ""},
      {[](RequestCtx& ctx) { ctx.error(500, "x"), ctx.reset_response(); }, 200, ""},
      {[](RequestCtx& ctx) { (void)ctx.set_reason("Fine"); }, 200, ""},
      {[](RequestCtx& ctx) { ctx.timeout_error("later"); }, 503, "later"},
  };
  for (Case& each : cases) {
    const client::Response page = lab::call(std::move(each.handler), get("/"));
    EXPECT_EQ(page.status, each.status);
    EXPECT_EQ(page.body, each.body);
  }
}

// Counts down, a piece at a time.
class Countdown final : public BodySource {
 public:
  explicit Countdown(int from) : left_(from) {}
  Task<Result<std::size_t>> read(MutableBytes into) override {
    if (left_ == 0) co_return 0;
    into[0] = static_cast<char>('0' + left_--);
    co_return 1;
  }

 private:
  int left_;
};

Task<> write_pieces(RequestCtx& ctx) {
  (void)ctx.set_header("Link", "</style.css>; rel=preload");
  (void)ctx.send_early_hints();
  (void)ctx.add_trailer("X-Sum", "42");
  const std::string_view piece = "one, ";
  if (!co_await ctx.write(piece)) co_return;
  if (!co_await ctx.flush()) co_return;
  (void)co_await ctx.write("two");
}

TEST(GuideFromGo, StreamsABody) {
  Lab lab;
  lab.serve(write_pieces, "app:80");
  lab.serve([](RequestCtx& ctx) { ctx.set_body_source(std::make_unique<Countdown>(3), 3); }, "app:81");
  const client::Response pieces = lab.get("http://app/");
  EXPECT_EQ(pieces.body, "one, two");
  EXPECT_EQ(pieces.trailers.get("X-Sum"), "42");
  EXPECT_EQ(lab.get("http://app:81/").body, "321");
}

TEST(GuideFromGo, SendsAFile) {
  const std::string path = testing::TempDir() + "pipette-from-go.txt";
  std::ofstream(path) << "from a file";
  std::filesystem::last_write_time(path, {});  // the same in every run
  Lab lab;
  const auto act = [path](RequestCtx& ctx) {
    if (!ctx.send_file(path)) ctx.not_found();
  };
  lab.serve(act, "app:80");
  EXPECT_EQ(lab.get("http://app/").body, "from a file");
}

Task<> echo(HijackedConnection connection) {
  std::array<char, 100> room;
  const Result<std::size_t> size = co_await connection.stream->read_some(room);
  const std::array<Bytes, 1> pieces = {Bytes(room.data(), size.value_or(0))};
  (void)co_await connection.stream->write(pieces);
  (void)co_await net::close(*connection.stream, after(connection.runtime->loop().now(), 5s));
}

Task<std::string> say_hi(Client& client) {
  client::Request request;
  request.url = "http://app/";
  request.fields.set("Upgrade", "echo").value();
  Result<client::Upgraded> upgraded = co_await client.upgrade(request);
  if (!upgraded || !upgraded->connection) co_return "refused";
  const std::array<Bytes, 1> pieces = {"hi"};
  (void)co_await upgraded->connection->write(pieces);
  std::array<char, 100> room;
  const Result<std::size_t> size = co_await upgraded->connection->read_some(room);
  co_return std::string(room.data(), size.value_or(0));
}

TEST(GuideFromGo, GoesOnWithAnotherProtocol) {
  Lab lab;
  lab.serve([](RequestCtx& ctx) { (void)ctx.upgrade("echo", echo); }, "app:80");
  EXPECT_EQ(lab.run(say_hi(lab.client())), "hi");
  lab.serve([](RequestCtx& ctx) { ctx.hijack(echo); }, "app:81");
  Peer peer = lab.connect("app:81");
  peer.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
  (void)peer.expect_response(200);
  peer.send("hi");
  peer.expect("hi");
  peer.close_write();
  lab.serve([](RequestCtx& ctx) { ctx.hijack_silently(echo); }, "app:82");
  Peer other = lab.connect("app:82");
  other.send("GET / HTTP/1.1\r\nHost: app\r\n\r\nhi");
  other.expect("hi");
  other.close_write();
  lab.settle();
}

TEST(GuideFromGo, BoundsAHandlersTime) {
  Lab lab;
  lab.serve(timeout(slow, 2s, "too slow"), "app:80");
  lab.serve(
      [](RequestCtx& ctx) -> Task<> {
        ctx.limit_time(1s);
        ctx.set_read_deadline(after(ctx.now(), 5s));
        ctx.set_write_deadline(after(ctx.now(), 5s));
        const async::StopToken stop = ctx.stop_token();
        (void)co_await ctx.sleep(3s);
        EXPECT_TRUE(stop.stop_requested());
      },
      "app:81");
  EXPECT_EQ(lab.get("http://app/").body, "too slow");
  EXPECT_EQ(lab.get("http://app:81/").status, 503);
}

void report(RequestCtx& ctx, BlockingCtx& wait) {
  if (wait.sleep_for(2s) != async::StopReason::none) return;
  ctx.set_body("a report");
}

TEST(GuideFromGo, HasHandlersThatBlock) {
  Lab lab;
  lab.serve(blocking(report), "app:80");
  EXPECT_EQ(lab.get("http://app/").body, "a report");
}

// ---- serving -----------------------------------------------------------------------------------------------

ServerOptions every_option() {
  ServerOptions options;
  options.read_timeout = 60s;
  options.read_header_timeout = 10s;
  options.handler_timeout = 30s;
  options.write_timeout = 60s;
  options.idle_timeout = 75s;
  options.tcp_keepalive = 15s;
  options.head.max_head_bytes = 64 * 1024;
  options.max_request_body_bytes = 4 * 1024 * 1024;
  options.concurrency = 10'000;
  options.max_conns_per_ip = 100;
  options.max_requests_per_conn = 1000;
  options.max_conn_age = 1h;
  options.refusal = server::Refusal::close;
  options.disable_keepalive = false;
  options.get_only = true;
  options.stream_request_body = false;
  options.read_buffer_bytes = 4096;
  options.write_buffer_bytes = 4096;
  options.name = "";
  options.no_default_date = true;
  options.no_default_content_type = true;
  options.log = [](std::string_view line) { EXPECT_NE(line, ""); };
  options.log_all_errors = true;
  options.secure_error_log_message = true;
  options.on_conn_state = [](const server::ConnInfo& connection, server::ConnState) { EXPECT_GT(connection.id, 0U); };
  options.on_error = [](RequestCtx& ctx, Errc error) { ctx.set_body(errc_row(error).message); };
  options.on_header_received = [](RequestCtx& ctx) {
    server::RequestConfig config;
    if (ctx.path() == "/upload") config.max_request_body_bytes = 1'000'000'000;
    return config;
  };
  options.on_expect_continue = [](RequestCtx& ctx) { return ctx.path() == "/upload" ? 100 : 417; };
  options.on_access = [](const server::AccessRecord& record) { EXPECT_FALSE(to_common_log(record).empty()); };
  return options;
}

TEST(GuideFromGo, TellsAServerMuch) {
  Lab lab;
  lab.serve(hello, "app:80", every_option());
  const client::Response page = lab.get("http://app/");
  EXPECT_EQ(page.status, 200);
  EXPECT_FALSE(page.header("Server"));
  EXPECT_FALSE(page.header("Date"));
  EXPECT_FALSE(page.header("Content-Type"));
  EXPECT_EQ(lab.post("http://app/", "text/plain", "x").status, 405);
}

Task<> serve_and_stop(Runtime& runtime, const Server& server) {
  net::ListenOptions listening;
  listening.reuse_port = true;
  std::unique_ptr<net::Listener> listener = runtime.network().listen(*net::Address::parse("app:80"), listening).value();
  server::Worker worker(server, runtime);
  async::TaskGroup serving(runtime.loop());
  serving.spawn(worker.serve(std::move(listener)));
  co_await async::sleep_until(runtime.loop(), after(runtime.loop().now(), 1min));
  const server::ShutdownReport report = co_await worker.shutdown(after(runtime.loop().now(), 30s));
  EXPECT_EQ(report.served, 1U);
  EXPECT_EQ(report.cut, 0U);
  EXPECT_EQ(worker.open_connections(), 0U);
  co_await serving.join();
}

TEST(GuideFromGo, ServesAndStops) {
  Server server(hello);
  Lab lab;
  lab.spawn(serve_and_stop(lab.runtime_of(*net::Address::parse("app:80")), server));
  lab.settle();
  EXPECT_EQ(lab.get("http://app/").body, "Hello, world!");
  lab.advance(2min);
  EXPECT_EQ(server.metrics().exchanges, 1U);
}

// ---- calls -------------------------------------------------------------------------------------------------

void say_it_back(RequestCtx& ctx) {
  (void)ctx.set_header("X-Kind", ctx.header("Accept").value_or("any"));
  ctx.set_body(std::string(ctx.method_text()) + " " + std::string(ctx.target()) + " " + std::string(ctx.body()));
}

Task<> call(Client& client) {
  Result<client::Response> page = co_await client.get("http://app/");
  EXPECT_EQ(page->status, 200);
  EXPECT_EQ(page->body, "GET / ");
  EXPECT_EQ(page->header("X-Kind"), "any");
  page = co_await client.head("http://app/");
  EXPECT_EQ(page->body, "");
  page = co_await client.post("http://app/", "text/plain", "new");
  EXPECT_EQ(page->body, "POST / new");
  page = co_await client.put("http://app/", "text/plain", "other");
  EXPECT_EQ(page->body, "PUT / other");

  client::Request request;
  client::Response response;
  request.method = http::Method::delete_;
  request.url = "http://app/things/1";
  request.fields.set("Accept", "text/plain").value();
  request.fields.add("X-Probe", "yes").value();
  client::set_bearer(request, "mF_9.B5f-4.1JqM").value();
  Result<void> done = co_await client.call(request, response);
  EXPECT_TRUE(done);
  EXPECT_EQ(response.header("X-Kind"), "text/plain");
  EXPECT_EQ(response.body, "DELETE /things/1 ");

  request.clear();
  Countdown source(3);
  request.method = http::Method::post;
  request.url = "http://app/";
  request.body_source = &source;
  request.body_length = 3;
  done = co_await client.call(request, response);
  EXPECT_EQ(response.body, "POST / 321");

  request.clear();
  Countdown chunks(3);
  request.method = http::Method::post;
  request.url = "http://app/";
  request.body_source = &chunks;
  request.trailers.set("X-Sum", "6").value();
  done = co_await client.call(request, response);
  EXPECT_EQ(response.body, "POST / 321");
  EXPECT_TRUE(response.trailers.empty());
}

Task<> stream(Client& client) {
  client::Request request;
  request.url = "http://app/";
  Result<client::ResponseStream> page = co_await client.stream(request);
  EXPECT_EQ(page->status(), 200);
  std::array<char, 4> room;
  const Result<std::size_t> size = co_await page->read(room);
  EXPECT_GT(*size, 0U);
  const Result<std::string> rest = co_await page->read_all(1'000'000);
  EXPECT_EQ(std::string(room.data(), *size) + *rest, "GET / ");
}

TEST(GuideFromGo, Calls) {
  Lab lab;
  lab.serve(say_it_back, "app:80");
  Client client(lab.runtime());
  lab.run(call(client));
  lab.run(stream(client));
  EXPECT_EQ(client.pending(), 0U);
  EXPECT_EQ(client.open_connections(), 1U);
  EXPECT_EQ(client.counts().dials, 1U);
  client.close_idle();
  EXPECT_EQ(client.idle_connections(), 0U);
}

Task<> call_with_options(Runtime& runtime, Client& client) {
  CallOptions options;
  options.timeout = 2s;
  Result<client::Response> page = co_await client.get("http://app/slow", options);
  EXPECT_EQ(page.error(), Errc::timed_out);

  options = {};
  options.deadline = after(runtime.loop().now(), 3s);
  page = co_await client.get("http://app/slow", options);
  EXPECT_EQ(page.error(), std::errc::timed_out);

  options = {};
  async::StopSource stopping(runtime.loop());
  options.stop = stopping.token();
  stopping.request_stop(async::StopReason::canceled);
  page = co_await client.get("http://app/slow", options);
  EXPECT_EQ(page.error(), Errc::operation_canceled);

  options = {};
  options.max_response_body_bytes = 4;
  page = co_await client.get("http://app/", options);
  EXPECT_EQ(page.error(), Errc::body_too_large);

  options = {};
  client::RedirectPolicy none;
  none.max = 0;
  options.redirects = &none;
  page = co_await client.get("http://app/old", options);
  EXPECT_EQ(page->status, 302);

  options = {};
  int steps = 0;
  const client::Trace trace = [&steps](const client::TraceEvent& event) {
    steps += event.kind == client::TraceKind::got_connection;
  };
  options.trace = &trace;
  page = co_await client.get("http://app/old", options);
  EXPECT_EQ(page->body, "Hello, world!");
  EXPECT_EQ(steps, 2);

  options = {};
  options.expects_continue = true;
  page = co_await client.post("http://app/hello", "text/plain", "new", options);
  EXPECT_EQ(page->status, 200);
}

TEST(GuideFromGo, CallsWithOptions) {
  Lab lab;
  lab.serve(
      [](RequestCtx& ctx) -> Task<> {
        if (ctx.path() == "/slow") (void)co_await ctx.sleep(10s);
        route(ctx);
      },
      "app:80");
  Client client(lab.runtime());
  lab.run(call_with_options(lab.runtime(), client));
  EXPECT_EQ(client.pending(), 0U);
}

Task<Result<net::Connected>> dial_there(Runtime& runtime, TimePoint deadline) {
  return runtime.network().dial(*net::Address::parse("app:80"), deadline);
}

ClientOptions every_client_option(Runtime& runtime, client::CookieJar& jar) {
  ClientOptions options;
  options.timeout = 30s;
  options.pool_wait_timeout = 10s;
  options.tls_handshake_timeout = 10s;
  options.write_timeout = 30s;
  options.expect_continue_timeout = 1s;
  options.response_header_timeout = 30s;
  options.body_timeout = 30s;
  options.idle_timeout = 10s;
  options.max_conn_age = 1h;
  options.max_conns_per_host = 512;
  options.max_idle_per_host = 64;
  options.pool_order = client::PoolOrder::fifo;
  options.max_response_body_bytes = 64 * 1024 * 1024;
  options.head.max_head_bytes = 64 * 1024;
  options.user_agent = "guide";
  options.retries.max_attempts = 5;
  options.retries.on_new_connections = true;
  options.retries.retry_if = [](const client::Failure& failure) { return failure.attempts < 3; };
  options.redirects.max = 10;
  options.redirects.follow_if = [](const client::Redirect& redirect) { return redirect.hops < 5; };
  options.cookies = &jar;
  options.dialer.connect_timeout = 3s;
  options.dialer.resolve_timeout = 5s;
  options.dialer.attempt_delay = 250ms;
  options.dialer.dns_ttl = 60s;
  options.dialer.max_concurrent = 1000;
  options.dialer.families = client::IpFamilies::ipv4_only;
  options.dialer.local_address = *net::Address::parse("10.0.0.1:0");
  options.dialer.rotate = true;
  options.dialer.dial = [&runtime](const net::Address&, TimePoint deadline) { return dial_there(runtime, deadline); };
  return options;
}

TEST(GuideFromGo, TellsAClientMuch) {
  Lab lab;
  lab.serve(
      [](RequestCtx& ctx) {
        ctx.set_body(ctx.cookie("sid").value_or("none"));
        (void)ctx.set_cookie(http::SetCookie("sid", "31d4"));
      },
      "app:80");
  client::CookieJar jar;
  Client client(lab.runtime(), every_client_option(lab.runtime(), jar));
  EXPECT_EQ(lab.run(client.get("http://app/"))->body, "none");
  EXPECT_EQ(lab.run(client.get("http://app/"))->body, "31d4");
  const WallTime now = lab.runtime().loop().wall_now();
  EXPECT_EQ(jar.cookies("http://app/", now)->size(), 1U);
  EXPECT_TRUE(jar.set("http://app/", "theme=dark", now));
  EXPECT_EQ(jar.size(), 2U);
}

TEST(GuideFromGo, KnowsProxies) {
  Lab lab;
  lab.serve([](RequestCtx& ctx) { ctx.set_body("by proxy: " + std::string(ctx.target())); }, "proxy:3128");
  ClientOptions options;
  client::ProxySettings settings;
  settings.http_proxy = "http://ada:secret@proxy:3128";
  options.proxies = client::ProxyRules::from(settings).value();
  Client client(lab.runtime(), options);
  EXPECT_EQ(lab.run(client.get("http://app/"))->body, "by proxy: http://app/");

  settings.all_proxy = "socks5://proxy:1080";
  EXPECT_TRUE(client::ProxyRules::from(settings));
  options.proxies = client::ProxyRules::from_environment(std::getenv).value();
}

TEST(GuideFromGo, HasClientsOfOneHost) {
  Lab lab;
  lab.serve(hello, "app:8080");
  HostClient app(lab.runtime(), "http://app:8080");
  EXPECT_EQ(lab.run(app.get("/things"))->body, "Hello, world!");
  HostClient elsewhere(lab.runtime(), "http://app", {*net::Address::parse("app:8080")});
  EXPECT_EQ(lab.run(elsewhere.get("/things"))->body, "Hello, world!");
}

TEST(GuideFromGo, DecodesABody) {
  Result<coding::Decoder> decoder = coding::Decoder::from("identity");
  EXPECT_TRUE(decoder->is_identity());
}

// ---- errors ------------------------------------------------------------------------------------------------

TEST(GuideFromGo, SaysWhatWentWrong) {
  Lab lab;
  lab.serve(slow, "slow:80");
  lab.serve([](RequestCtx& ctx) { (void)ctx.redirect("/"); }, "circle:80");
  lab.serve([](RequestCtx& ctx) { ctx.set_body("longer than that"); }, "long:80");
  lab::ScriptedServer closing(lab, "closing:80");
  closing.answer_and_close("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  lab::ScriptedServer silent(lab, "silent:80");
  silent.answer_and_close("");
  lab::ScriptedServer babbling(lab, "babbling:80");
  babbling.answer_and_close("220 babbling ESMTP\r\n\r\n");
  ClientOptions options;
  options.max_response_body_bytes = 10;
  options.response_header_timeout = 5s;
  Client client(lab.runtime(), options);
  struct Case {
    std::string url;
    Errc error;
  };
  const Case cases[] = {
      {"http://slow/", Errc::response_header_timeout},
      {"http://circle/", Errc::too_many_redirects},
      {"http://long/", Errc::body_too_large},
      {"http://closing/", Errc::incomplete_message},
      {"http://silent/", Errc::end_of_stream},
      {"http://babbling/", Errc::bad_version},
      {"http://nobody/", Errc::host_not_found},
      {"http://long:81/", Errc::connection_refused},
      {"http://a b/", Errc::bad_uri},
      {"ftp://long/", Errc::unsupported_scheme},
  };
  for (const Case& each : cases) {
    const Result<client::Response> page = lab.run(client.get(each.url));
    ASSERT_FALSE(page) << each.url;
    EXPECT_EQ(page.error(), each.error) << each.url << ": " << page.error().message();
  }
}

// Each phase has an error of its own, and all of them are time-outs to who asks for no more.
TEST(GuideFromGo, HasAnErrorForEachPhase) {
  for (const Errc error : {Errc::resolve_timeout, Errc::connect_timeout, Errc::tls_handshake_timeout,
                           Errc::proxy_timeout, Errc::pool_wait_timeout, Errc::write_timeout,
                           Errc::expect_continue_timeout, Errc::response_header_timeout, Errc::body_timeout}) {
    EXPECT_EQ(make_error_code(error), std::errc::timed_out);
  }
}

// What a handler and who serves are told.
TEST(GuideFromGo, HasErrorsForServersToo) {
  for (const auto& [error, status] :
       {std::pair(Errc::body_too_large, 413), std::pair(Errc::head_too_large, 431),
        std::pair(Errc::method_not_allowed, 405), std::pair(Errc::request_timeout, 408),
        std::pair(Errc::unknown_transfer_coding, 501), std::pair(Errc::bad_content_length, 400),
        std::pair(Errc::bad_media_type, 400), std::pair(Errc::listener_closed, 0),
        std::pair(Errc::wrong_body_size, 500), std::pair(Errc::bad_trailer, 500), std::pair(Errc::bad_number, 400)}) {
    EXPECT_EQ(errc_row(error).status, status) << errc_row(error).message;
  }
}

// ---- several servers ---------------------------------------------------------------------------------------

ClientOptions undoing_codings() {
  ClientOptions options;
  options.decompresses = true;
  return options;
}

TEST(GuideFromGo, PipelinesAndBalances) {
  EXPECT_TRUE(undoing_codings().decompresses);
  Lab lab;
  lab.serve(hello, "app:80");
  const auto calls_of = [&lab](Caller& caller) { return lab.run(caller.get("/?name=Ada"))->body; };
  {
    client::PipelineOptions options;
    options.max_connections = 2;
    options.max_pending_per_connection = 100;
    options.max_batch_delay = 1ms;
    client::PipelineClient pipeline(lab.runtime(), "http://app", options);
    EXPECT_EQ(calls_of(pipeline), "Hello, Ada!");
  }
  client::LBOptions options;
  options.timeout = 1s;
  options.is_healthy = [](const client::Request&, const client::Response& response, std::error_code error) {
    return !error && response.status < 500;
  };
  options.ejection = client::LBEjection();
  options.checks = client::LBChecks();
  client::LBClient backends(lab.runtime(), options);
  backends.add("a", std::make_unique<HostClient>(lab.runtime(), "http://app"));
  EXPECT_EQ(calls_of(backends), "Hello, Ada!");
  backends.remove("a");
  EXPECT_EQ(lab.run(backends.get("/")).error(), Errc::no_available_target);
  EXPECT_EQ(errc_row(Errc::pipeline_overflow).status, 503);
}

// ---- tests -------------------------------------------------------------------------------------------------

TEST(GuideFromGo, TestsWithoutSockets) {
  const client::Request request = get("/?name=Ada");
  const client::Response alone = lab::call(hello, request);
  EXPECT_EQ(alone.body, "Hello, Ada!");

  Server server(hello);
  Lab lab;
  lab.serve(server, "app:80");
  EXPECT_EQ(lab.get("http://app/").body, "Hello, world!");

  Peer peer = lab.connect("app:80");
  peer.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
  (void)peer.expect_response(200);
  lab.advance(75s);
  EXPECT_TRUE(peer.closed());
}

}  // namespace
