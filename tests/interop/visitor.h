// Visitor: the fixture of these tests. A site, and the client that calls there.
//
//   class Nginx : public Visitor {
//     void SetUp() override { start([&] { visit(start_nginx); }); }
//   };
//   TEST_F(Nginx, …) { EXPECT_THAT(get("/hello"), BodyIs("Hello")); }
//
// A test whose program is not installed is skipped; it fails where PIPETTE_INTEROP=required, which ci/test sets.
//
// Threads  one.
#pragma once

#include <cstdlib>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "pipette/client/client.h"

#include "tests/interop/child.h"
#include "tests/interop/loopback.h"
#include "tests/interop/site.h"

namespace pipette::interop {

class Visitor : public testing::Test {
 protected:
  // Runs what starts programs.
  static void start(const std::function<void()>& programs) {
    try {
      programs();
    } catch (const MissingProgram& missing) {
      const char* const wanted = std::getenv("PIPETTE_INTEROP");
      if (wanted != nullptr && std::string_view(wanted) == "required") FAIL() << missing.what();
      GTEST_SKIP() << missing.what();
    }
  }
  void visit(const StartSite& start) {
    site_ = start(loopback_);
    use(ClientOptions());
  }
  // A client with these options, in place of the one before.
  void use(const ClientOptions& options) { client_.emplace(loopback_.runtime(), options); }

  Loopback& loopback() { return loopback_; }
  Site& site() { return *site_; }
  Client& client() { return *client_; }

  Result<client::Response> get(std::string_view path) { return loopback_.await(client_->get(site_->url(path))); }
  Result<client::Response> head(std::string_view path) { return loopback_.await(client_->head(site_->url(path))); }
  Result<client::Response> post(std::string_view path, std::string body) {
    return loopback_.await(client_->post(site_->url(path), "text/plain", std::move(body)));
  }
  Result<client::Response> put(std::string_view path, std::string body) {
    return loopback_.await(client_->put(site_->url(path), "text/plain", std::move(body)));
  }
  // With a field of one's own.
  Result<client::Response> call(http::Method method, std::string_view path, std::string_view name,
                                std::string_view value, std::string body = {}) {
    client::Request request;
    request.method = method;
    request.url = site_->url(path);
    request.body = std::move(body);
    if (const Result<void> set = request.fields.set(name, value); !set) return fail(set.error());
    client::Response response;
    const Result<void> done = loopback_.await(client_->call(request, response));
    if (!done) return fail(done.error());
    return response;
  }

 private:
  Loopback loopback_;
  std::unique_ptr<Site> site_;
  std::optional<Client> client_;
};

// Without showing them when they differ.
inline bool has_big_body(const Result<client::Response>& response) { return response && response->body == big_body(); }

}  // namespace pipette::interop
