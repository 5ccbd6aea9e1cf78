// https as Wireshark sees it: with the keys of the log it reads what was inside (tests/lab/check_pcap asks tshark).
#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <sstream>

#include "pipette/lab/gtest.h"
#include "pipette/lab/lab.h"
#include "pipette/lab/pcap.h"
#include "pipette/server/request_ctx.h"

#include "tests/tls/secured.h"

namespace pipette::tls {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string capture(bool keeps_keys) {
  Options logging = server_options();
  Lab* log_to = nullptr;
  if (keeps_keys) logging.on_key_log = [&](std::string_view line) { log_to->keep_keys(line); };
  Security server_security(std::move(logging));
  Security client_security(client_options());
  Server server([](RequestCtx& ctx) { ctx.set_body("secret"); });
  Lab lab({.security = &client_security});
  log_to = &lab;
  lab.serve(server, "app:443", &server_security);
  lab.get("https://app/hidden");
  std::ostringstream out;
  lab::write_pcapng(lab.log(), out);
  return out.str();
}

TEST(TlsCapture, CarriesItsKeys) {
  const std::string octets = capture(true);
  EXPECT_THAT(octets, HasSubstr("KSLT"));  // the kind of secret, little-endian
  EXPECT_THAT(octets, HasSubstr("\nCLIENT_TRAFFIC_SECRET_0 "));
  EXPECT_THAT(octets, Not(HasSubstr("/hidden")));
  EXPECT_EQ(octets.size() % 4, 0U);
  if (const char* const folder = std::getenv("PIPETTE_PCAP_FOLDER")) {
    std::ofstream(std::string(folder) + "/secured.pcapng", std::ios::binary) << octets;
  }
}

TEST(TlsCapture, IsWithoutWhereNobodyHasGivenAny) { EXPECT_THAT(capture(false), Not(HasSubstr("KSLT"))); }

}  // namespace
}  // namespace pipette::tls
