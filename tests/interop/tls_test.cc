// TLS with implementations that are not ours: nginx and Go's net/http as servers, openssl, curl and Go as clients.
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "pipette/async/task_group.h"
#include "pipette/client/client.h"
#include "pipette/lab/matchers.h"
#include "pipette/server/server.h"
#include "pipette/server/worker.h"

#include "tests/interop/child.h"
#include "tests/interop/command.h"
#include "tests/interop/loopback.h"
#include "tests/interop/visitor.h"
#include "tests/tls/secured.h"

namespace pipette::interop {
namespace {

using lab::BodyIs;
using lab::HasHeader;
using lab::HasStatus;
using lab::IsError;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using tls::Version;

// What every server shows here, and what clients show that show anything.
const tls::Identity& server_identity() {
  static const tls::Identity identity = tls::issue_for_good({"127.0.0.1", "app"});
  return identity;
}
const tls::Identity& client_identity() {
  static const tls::Identity identity = [] {
    tls::CertificateRequest request;
    request.names = {"visitor"};
    request.until = std::chrono::sys_days(std::chrono::year(2200) / 1 / 1);
    request.is_for_client = true;
    return tls::test_authority().issue(request);
  }();
  return identity;
}

void write_certificates(const std::filesystem::path& folder) {
  write_file(folder / "chain.pem", server_identity().chain);
  write_file(folder / "key.pem", server_identity().key);
  write_file(folder / "ca.pem", tls::test_authority().certificate());
}

// ---- our client --------------------------------------------------------------------------------------------

constexpr std::string_view kNginxSettings = R"(
daemon off;
master_process off;
pid pid;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  client_max_body_size 32m;
  default_type text/plain;
  ssl_certificate chain.pem;
  ssl_certificate_key key.pem;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_client_certificate ca.pem;
  ssl_verify_client optional;
  ssl_session_cache shared:sessions:1m;

  server {
    listen 127.0.0.1:{port} ssl;
    root www;
    location = /facts { return 200 "$ssl_protocol $ssl_session_reused $ssl_client_verify"; }
    location = /zipped { gzip on; gzip_types *; gzip_min_length 1; }
    location /store/ { dav_methods PUT; create_full_put_path on; }
    location = /impatient { keepalive_timeout 1ms; return 200 "be quick"; }
  }
}
)";

void prepare_nginx(const std::filesystem::path& folder, std::uint16_t port) {
  write_certificates(folder);
  std::filesystem::create_directories(folder / "www");
  write_file(folder / "www" / "big", big_body());
  write_file(folder / "www" / "zipped", std::string(1000, 'z'));
  std::string settings(kNginxSettings);
  settings.replace(settings.find("{port}"), 6, std::to_string(port));
  write_file(folder / "conf", settings);
}

// A server that speaks TLS, and a client that trusts it.
class SecuredVisitor : public Visitor {
 protected:
  // Another client, with sessions of its own.
  void become(Version version, bool shows_certificate = false) {
    tls::Options options;
    options.min_version = options.max_version = version;
    options.trust = tls::test_authority().trust();
    if (shows_certificate) options.identities = {client_identity()};
    client_.reset();
    security_.emplace(std::move(options));
    ClientOptions with;
    with.security = &*security_;
    with.decompresses = true;
    client_.emplace(loopback().runtime(), with);
  }
  std::string url(std::string_view path) const {
    return "https://127.0.0.1:" + std::to_string(server_->port()) + std::string(path);
  }
  Result<client::Response> get(std::string_view path) { return loopback().await(client_->get(url(path))); }
  // On a connection of its own.
  std::string facts() {
    client_->close_idle();
    const Result<client::Response> page = get("/facts");
    return page ? page->body : page.error().message();
  }

  std::unique_ptr<Child> server_;
  std::optional<tls::Security> security_;
  std::optional<Client> client_;
};

class NginxWithTls : public SecuredVisitor {
 protected:
  void SetUp() override {
    start([&] {
      const std::vector<std::string> command = {"nginx", "-p", "{folder}/", "-c", "conf", "-e", "stderr"};
      server_ = std::make_unique<Child>(loopback(), command, prepare_nginx);
    });
  }
};

TEST_F(NginxWithTls, ResumesSessionsOfEitherVersion) {
  become(Version::tls_1_3);
  EXPECT_EQ(facts(), "TLSv1.3 . NONE");
  EXPECT_EQ(facts(), "TLSv1.3 r NONE");
  EXPECT_EQ(facts(), "TLSv1.3 r NONE");
  become(Version::tls_1_2);
  EXPECT_EQ(facts(), "TLSv1.2 . NONE");
  EXPECT_EQ(facts(), "TLSv1.2 r NONE");
  EXPECT_EQ(facts(), "TLSv1.2 r NONE");
}

TEST_F(NginxWithTls, KnowsClientsByTheirCertificates) {
  for (const Version version : {Version::tls_1_2, Version::tls_1_3}) {
    become(version, true);
    EXPECT_THAT(facts(), testing::EndsWith(" . SUCCESS"));
    EXPECT_THAT(facts(), testing::EndsWith(" r SUCCESS"));
  }
}

TEST_F(NginxWithTls, TakesAndGivesLargeBodies) {
  for (const Version version : {Version::tls_1_2, Version::tls_1_3}) {
    become(version);
    EXPECT_TRUE(has_big_body(get("/big")));
    const std::string path = version == Version::tls_1_2 ? "/store/one" : "/store/two";
    EXPECT_THAT(loopback().await(client_->put(url(path), "text/plain", big_body())), HasStatus(201));
    EXPECT_TRUE(has_big_body(get(path)));
    EXPECT_EQ(client_->counts().dials, 1U);
  }
}

TEST_F(NginxWithTls, Compresses) {
  become(Version::tls_1_3);
  const Result<client::Response> page = get("/zipped");
  EXPECT_THAT(page, AllOf(HasStatus(200), BodyIs(std::string(1000, 'z'))));
  EXPECT_TRUE(page->was_decoded);
}

TEST_F(NginxWithTls, ClosesWhileTheClientCalls) {
  become(Version::tls_1_3);
  for (int i = 0; i < 50; ++i) EXPECT_THAT(get("/impatient"), BodyIs("be quick"));
  EXPECT_EQ(client_->counts().requests, 50 + client_->counts().repeated);
}

TEST_F(NginxWithTls, IsNotBelievedUnderAnotherName) {
  become(Version::tls_1_3);
  const std::string elsewhere = "https://localhost:" + std::to_string(server_->port()) + "/facts";
  EXPECT_THAT(loopback().await(client_->get(elsewhere)), IsError(Errc::certificate_name_mismatch));
  security_.emplace(tls::Options());  // the roots of this machine
  EXPECT_EQ(facts(), make_error_code(Errc::certificate_untrusted).message());
}

std::filesystem::path nethttps() {
  std::filesystem::path program = PIPETTE_INTEROP_NETHTTPS;
  if (program.empty()) throw MissingProgram("go");
  return program;
}

class NetHttpWithTls : public SecuredVisitor {
 protected:
  void SetUp() override {
    start([&] {
      const std::vector<std::string> command = {nethttps(), "serve", "{folder}", "{port}"};
      server_ = std::make_unique<Child>(
          loopback(), command, [](const std::filesystem::path& folder, std::uint16_t) { write_certificates(folder); });
    });
  }
};

TEST_F(NetHttpWithTls, ResumesSessionsOfEitherVersion) {
  for (const Version version : {Version::tls_1_2, Version::tls_1_3}) {
    const std::string name = version == Version::tls_1_2 ? "TLSv1.2" : "TLSv1.3";
    become(version);
    EXPECT_EQ(facts(), name + " new nobody");
    EXPECT_EQ(facts(), name + " resumed nobody");
    become(version, true);
    EXPECT_EQ(facts(), name + " new visitor");
    EXPECT_EQ(facts(), name + " resumed visitor");
  }
}

TEST_F(NetHttpWithTls, GivesALargeBodyBack) {
  for (const Version version : {Version::tls_1_2, Version::tls_1_3}) {
    become(version);
    EXPECT_TRUE(has_big_body(loopback().await(client_->post(url("/echo"), "text/plain", big_body()))));
  }
}

// ---- our server --------------------------------------------------------------------------------------------

// "/" tells what the connection is, "/echo" gives the body back.
void tell(RequestCtx& ctx) {
  if (ctx.path() == "/echo") return ctx.set_body(ctx.body());
  const net::SecurityFacts& facts = *ctx.tls();
  ctx.set_body(facts.protocol + (facts.is_resumed ? " resumed " : " new ") + "for " + facts.server_name);
}

class OurTls : public Visitor {
 protected:
  OurTls() {
    std::string pattern = std::filesystem::temp_directory_path() / "pipette-tls-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    write_certificates(folder_);
    auto listener = loopback().runtime().network().listen(net::Address::ipv4({127, 0, 0, 1}, 0));
    if (!listener) throw std::system_error(listener.error(), "listen");
    port_ = std::to_string((*listener)->address().port());
    tasks_.spawn(worker_.serve(std::move(*listener), &security_));
  }
  ~OurTls() override {
    (void)loopback().await(worker_.shutdown(loopback().runtime().loop().now()));
    std::filesystem::remove_all(folder_);
  }

  // Runs to its end; what it has said.
  std::string run(std::vector<std::string> words) {
    std::string said;
    start([&] {
      Command command(loopback(), std::move(words));
      EXPECT_TRUE(command.wait().has_value());
      said = command.said();
    });
    return said;
  }
  std::string curl(std::vector<std::string> options, const std::string& host = "app") {
    std::vector<std::string> words = {"curl",      "-sS",
                                      "--noproxy", "*",
                                      "--cacert",  folder_ / "ca.pem",
                                      "--resolve", host + ":" + port_ + ":127.0.0.1"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back("https://" + host + ":" + port_ + "/");
    return run(std::move(words));
  }
  std::vector<std::string> s_client(std::vector<std::string> options) const {
    std::vector<std::string> words = {"openssl", "s_client",         "-connect",    "127.0.0.1:" + port_,
                                      "-CAfile", folder_ / "ca.pem", "-servername", "app"};
    words.insert(words.end(), options.begin(), options.end());
    return words;
  }

  static tls::Options with_identities() {
    tls::Options options;
    options.identities = {server_identity(), tls::issue_for_good({"shop.example"})};
    return options;
  }
  static server::ServerOptions large_bodies() {
    server::ServerOptions options;
    options.max_request_body_bytes = 16 * 1024 * 1024;
    return options;
  }

  std::filesystem::path folder_;
  std::string port_;
  tls::Security security_{with_identities()};
  Server server_{tell, large_bodies()};
  server::Worker worker_{server_, loopback().runtime()};
  async::TaskGroup tasks_{loopback().runtime().loop()};
};

TEST_F(OurTls, ServesCurl) {
  EXPECT_EQ(curl({}), "TLSv1.3 new for app");
  EXPECT_EQ(curl({"--tls-max", "1.2"}), "TLSv1.2 new for app");
  EXPECT_EQ(curl({}, "shop.example"), "TLSv1.3 new for shop.example") << "with the certificate of that name";
  EXPECT_THAT(curl({}, "elsewhere"), HasSubstr("no alternative certificate subject name matches"));
}

TEST_F(OurTls, TakesALargeBodyFromCurl) {
  write_file(folder_ / "body", big_body());
  const std::string url = "https://app:" + port_ + "/echo";
  run({"curl", "-sS", "--noproxy", "*", "--cacert", folder_ / "ca.pem", "--resolve", "app:" + port_ + ":127.0.0.1",
       "--data-binary", "@" + (folder_ / "body").string(), "-o", folder_ / "came", url});
  EXPECT_TRUE(read_file(folder_ / "came") == big_body());
}

TEST_F(OurTls, ResumesSessionsOfOpenSsl) {
  for (const char* const version : {"-tls1_2", "-tls1_3"}) {
    const std::string session = folder_ / ("session" + std::string(version));
    const auto visit = [&](const char* how) {
      std::string said;
      start([&] {
        Command client(loopback(), s_client({version, how, session, "-ign_eof"}));
        client.say("GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n");
        EXPECT_EQ(client.wait(), 0);
        said = client.said();
      });
      return said;
    };
    EXPECT_THAT(visit("-sess_out"), AllOf(HasSubstr(" new for app"), HasSubstr("Verify return code: 0 (ok)")));
    EXPECT_THAT(visit("-sess_in"), HasSubstr(" resumed for app"));
  }
}

TEST_F(OurTls, RefusesProtocolsItDoesNotSpeak) {
  EXPECT_THAT(run(s_client({"-alpn", "h2"})), HasSubstr("no application protocol"));
  EXPECT_THAT(run(s_client({"-alpn", "h2,http/1.1"})), HasSubstr("ALPN protocol: http/1.1"));
  EXPECT_THAT(run(s_client({"-tls1_1", "-cipher", "ALL@SECLEVEL=0"})),
              Not(HasSubstr("Verify return code: 0 (ok)\n---\nread")));
  EXPECT_EQ(curl({}), "TLSv1.3 new for app");
}

TEST_F(OurTls, BeginsNothingAgain) {
  start([&] {
    Command client(loopback(), s_client({"-tls1_2"}));
    ASSERT_TRUE(client.wait_until_said("Verify return code: 0 (ok)"));
    client.say("R\n");
    ASSERT_TRUE(client.wait_until_said("RENEGOTIATING"));
    EXPECT_TRUE(client.wait_until_said("no renegotiation")) << client.said();
    EXPECT_EQ(curl({}), "TLSv1.3 new for app") << "and it hurts nobody";
  });
  EXPECT_EQ(server_.metrics().tls_handshakes, 2U);
}

TEST_F(OurTls, ServesGo) {
  std::string said;
  start([&] { said = run({nethttps(), "call", folder_, "https://127.0.0.1:" + port_}); });
  if (said.empty()) return;
  const auto kept = [](const std::string& line) { return line + line + line; };
  // Go asks for no name where there is an address.
  EXPECT_EQ(said, kept("TLSv1.3 new TLSv1.3 new for  <nil>\n") + kept("TLSv1.3 resumed TLSv1.3 resumed for  <nil>\n") +
                      kept("TLSv1.3 resumed TLSv1.3 resumed for  <nil>\n") +
                      kept("TLSv1.2 new TLSv1.2 new for  <nil>\n") +
                      kept("TLSv1.2 resumed TLSv1.2 resumed for  <nil>\n") +
                      kept("TLSv1.2 resumed TLSv1.2 resumed for  <nil>\n") + "large true <nil>\n");
  EXPECT_EQ(server_.metrics().tls_handshakes, 7U) << "three requests each";
}

}  // namespace
}  // namespace pipette::interop
