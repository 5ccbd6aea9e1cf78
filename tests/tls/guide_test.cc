// What docs/guide-tls.md shows, line for line, and that it does what it says.
#include <gmock/gmock.h>
#include <string>
#include <utility>

#include "pipette/client/client.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/lab.h"
#include "pipette/server/request_ctx.h"
#include "pipette/tls/authority.h"
#include "pipette/tls/security.h"

#include "tests/tls/secured.h"

using namespace pipette;

namespace {

void tell_how(RequestCtx& ctx) {
  const net::SecurityFacts* const tls = ctx.tls();
  ctx.set_body(tls == nullptr ? "in the clear" : tls->protocol + ", " + tls->cipher + ", for " + tls->server_name);
}

Task<int> status_of(Runtime& runtime, net::Security& security, std::string url) {
  ClientOptions options;
  options.security = &security;
  Client client(runtime, options);
  const Result<client::Response> page = co_await client.get(std::move(url));
  co_return page ? page->status : 0;
}

TEST(Tls, EndsWhenTheCertificateDoes) {
  tls::Authority authority{Random(1)};
  const WallTime now = inmem::kWorldStart;
  tls::Options for_server;
  for_server.identities = {authority.issue({.names = {"app"}, .from = now, .until = now + std::chrono::days(90)})};
  for_server.random = Random(2);
  tls::Options for_client;
  for_client.trust = authority.trust();
  for_client.random = Random(3);
  tls::Security server_security(for_server);
  tls::Security client_security(for_client);

  Server server(tell_how);
  Lab lab({.security = &client_security});
  lab.serve(server, "app:443", &server_security);
  EXPECT_EQ(lab.get("https://app/").body, "TLSv1.3, TLS_AES_128_GCM_SHA256, for app");

  lab.client().close_idle();
  lab.advance(std::chrono::days(90));
  EXPECT_THROW(lab.get("https://app/"), lab::CallFailed);  // certificate_expired
}

TEST(TlsGuide, ItsClientIsGivenASecurity) {
  tls::Security server_security(tls::server_options());
  tls::Security client_security(tls::client_options());
  Server server(tell_how);
  Lab lab;
  lab.serve(server, "app:443", &server_security);
  EXPECT_EQ(lab.run(status_of(lab.runtime(), client_security, "https://app/")), 200);
  EXPECT_EQ(lab.run(status_of(lab.runtime(), client_security, "https://other/")), 0);
}

}  // namespace
