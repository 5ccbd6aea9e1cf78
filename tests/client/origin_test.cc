// Which URLs are those of an origin, and what is asked there.
#include "pipette/client/origin.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "pipette/client/host_client.h"
#include "pipette/lab/scripted_server.h"

#include "tests/support/printers.h"

namespace pipette::client {
namespace {

struct Row {
  std::string url;
  std::string target;  // "-": not of this origin
};

TEST(Origin, KnowsItsOwn) {
  const std::vector<Row> rows = {
      {"/", "/"},
      {"/a?b=c", "/a?b=c"},
      {"/a#top", "/a"},
      {"http://app:8080/a#top", "/a"},
      {"http://APP:8080/a", "/a"},
      {"http://app:8080?b", "?b"},
      {"http://app:8080", ""},
      {"http://app:80801/", "-"},
      {"http://app:8080.evil/", "-"},
      {"http://app:8080@evil/", "-"},
      {"http://app/", "-"},
      {"https://app:8080/", "-"},
      {"http://other:8080/", "-"},
      {"", "-"},
      {"a", "-"},
      {"/a b", "-"},
      {"http://app:8080/a b", "-"},
  };
  Origin origin("http://app:8080/");
  for (const Row& row : rows) {
    for (int i = 0; i < 2; ++i) {  // the second time it may be remembered
      const std::string copy = row.url;
      const Result<http::HttpUrl> url = origin.parse(copy);
      EXPECT_EQ(url ? url->target : "-", row.target) << row.url;
      EXPECT_TRUE(!url || url->port == 8080) << row.url;
    }
  }
}

TEST(Origin, HasNoPath) {
  for (const std::string base : {"", "app", "http://app/x", "http://app/?", "ftp://app/", "http://u:p@app/"}) {
    Origin origin(base);
    EXPECT_FALSE(origin.url()) << base;
    EXPECT_EQ(origin.parse("/").error(), Errc::bad_uri) << base;
  }
}

TEST(HostClient, AsksItsOriginAndNobodyElse) {
  Lab lab;
  ScriptedServer server(lab, "app:80");
  HostClient app(lab.runtime(), "http://app");
  for (const std::string url : {"/a", "http://app/b"}) {
    server.answer(lab::respond(200, url));
    EXPECT_EQ(lab.run(app.get(url)).value().body, url);
  }
  EXPECT_EQ(lab.run(app.get("http://other/")).error(), Errc::bad_uri);
  EXPECT_EQ(server.accepted(), 1U);
}

}  // namespace
}  // namespace pipette::client
