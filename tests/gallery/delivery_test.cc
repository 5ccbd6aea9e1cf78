// Outages in which an answer, or its end, was lost on its way.
#include <gmock/gmock.h>
#include <memory>
#include <string>

#include "pipette/async/sleep.h"
#include "pipette/lab/matchers.h"
#include "pipette/lab/scripted_server.h"
#include "pipette/lab/triggers.h"

#include "tests/gallery/gallery.h"

namespace pipette::test {
namespace {

using namespace std::chrono_literals;
using lab::BodyIs;
using lab::HasStatus;
using lab::IsError;
using lab::TookVirtual;
using net::Toxics;
using testing::SizeIs;

// hyper #4022: when the socket was full, the server closed it with the rest of the body still in its own buffer. Users
// got 200 OK with Content-Length: 14896092, the first 219264 octets, and the end. It took its finders six weeks.
TEST_F(Gallery, SendsTheEndOfABodyToASlowReaderToo) {
  stands_for("hyper #4022");
  serve([](RequestCtx& ctx) {
    ctx.set_connection_close();
    ctx.set_body(std::string(14'896'092, 'x'));
  });
  lab_.world().network().set_pipe_options(net::ChannelOptions().with_capacity(219'264));
  const auto slow = lab_.link("app", "client").add(Toxics().with_bandwidth(2'000'000));
  const auto gap = lab_.link("app", "client").add(Toxics().with_stall(), inmem::Between{2s, 12s});
  EXPECT_THAT(lab_.get("http://app/"), BodyIs(SizeIs(14'896'092)));
  EXPECT_GT(lab_.elapsed(), 17s);
}

// libevent #321: a server with a limit on bodies said 413 and closed while the upload was still coming in. What was not
// read made the kernel send a reset, which overtook the answer: browsers showed "connection reset", and no reason.
TEST_F(Gallery, TellsAnUploadThatIsTooLargeSoBeforeItCloses) {
  stands_for("libevent #321");
  ServerOptions options;
  options.max_request_body_bytes = 8 * 1024;
  serve([](RequestCtx&) {}, options);
  const auto there = lab_.link("client", "app").add(Toxics().with_latency(40ms).with_bandwidth(100'000));
  const auto back = lab_.link("app", "client").add(Toxics().with_latency(40ms));
  EXPECT_THAT(lab_.post("http://app/form", "text/plain", std::string(200'000, 'x')), HasStatus(413));
}

// golang/go #18527, Envoy #2066: a client that has sent all it has to say may finish its side of the connection and
// wait. Servers took that for a client that has gone, and dropped the answer they were working on.
TEST_F(Gallery, AnswersAClientThatHasFinishedSending) {
  stands_for("Go #18527, Envoy #2066");
  ServerOptions options;
  options.handler_timeout = server::kNoLimit;
  const auto act = [](RequestCtx& ctx) -> Task<> {
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 2min));
    ctx.set_body("at last");
  };
  serve(act, options);
  Peer peer = lab_.connect("app:80");
  peer.send("GET /report HTTP/1.1\r\nHost: app\r\n\r\n");
  peer.close_write();
  lab_.advance(2min - 1ns);
  EXPECT_THAT(lab_.netstat(), testing::ContainsRegex("CLOSE_WAIT +app"));
  peer.expect_nothing();
  lab_.advance(1ns);
  EXPECT_THAT(peer.expect_response(200), BodyIs("at last"));
  peer.expect_closed();
}

// Requests #4956, Glaze #2685: the server promised 10000 octets, sent 14 and closed. The client handed the 14 out as a
// good 200, and half of a file was taken for the whole; Glaze also kept the dead connection for the next call.
TEST_F(Gallery, TakesNoHalfOfABodyForTheWhole) {
  stands_for("Requests #4956, Glaze #2685");
  ScriptedServer server(lab_, "app:80");
  server.answer_and_close("HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\nfourteen chars");
  server.answer_and_close("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ne\r\nfourteen chars\r\n");
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(lab_.run(lab_.client().get("http://app/")), IsError(Errc::incomplete_message));
    EXPECT_EQ(lab_.client().idle_connections(), 0U);
  }
}

// Pistache #1007: the server wrote to a client that had just gone, and the whole process died of SIGPIPE. Here the
// connection breaks behind every octet of the response in turn, and only that client may notice.
TEST_F(Gallery, OutlivesAClientThatGoesAwayAnywhere) {
  stands_for("Pistache #1007");
  serve([](RequestCtx& ctx) { ctx.set_body("Hello"); });
  std::size_t octets = 0;
  const auto breaks = lab_.link("app", "client").add(Toxics().with_reset_peer(), [&octets] {
    return std::make_unique<lab::OnMessage>(lab::on_response(1).after_bytes(octets));
  });
  Result<client::Response> page = fail(Errc::connection_reset);
  for (; !page; ++octets) page = lab_.run(lab_.client().get("http://app/"));
  EXPECT_THAT(page, BodyIs("Hello")) << "once it breaks behind the whole response";
  EXPECT_EQ(octets, 139U);
}

}  // namespace
}  // namespace pipette::test
