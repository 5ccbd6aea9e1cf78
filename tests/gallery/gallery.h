// Gallery: outages that other HTTP libraries have had, each as a short test against this one.
//
//   // hyper #4022: …what happened, and what users saw.
//   TEST_F(Gallery, SendsTheEndOfABodyToASlowReaderToo) {
//     stands_for("hyper #4022");
//     serve([](RequestCtx& ctx) { … });                       // at "app:80"
//     EXPECT_EQ(lab_.get("http://app/").body.size(), …);
//   }
//
// The numbers are those of the projects' own issues and pull requests, where the whole story is told. A test ends with
// its lab, so that what it leaves behind fails it; main.cc makes a table of all of them.
//
// Lifetime  the server outlives the lab, and the lab everything that a test has.   Threads  one.
#pragma once

#include <gtest/gtest.h>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/lab/golden.h"
#include "pipette/lab/lab.h"
#include "pipette/server/server.h"

namespace pipette::test {

// What main.cc asks a test for.
inline constexpr const char* kOutage = "stands_for";
inline constexpr const char* kVirtualTime = "virtual_ns";

class Gallery : public testing::Test {
 protected:
  void stands_for(const std::string& outage) { RecordProperty(kOutage, outage); }

  server::Worker& serve(Handler handler, ServerOptions options = {}) {
    options.log = [this](std::string_view line) { log_.emplace_back(line); };
    server_.emplace(std::move(handler), std::move(options));
    return lab_.serve(*server_, "app:80");
  }

  // All that has happened so far, against tests/gallery/golden/…
  std::string compare_with_golden(const std::string& name) {
    const std::string_view here = std::source_location::current().file_name();
    const std::string folder(here.substr(0, here.rfind('/') + 1));
    return lab::compare_with_golden(lab_.log(), folder + "golden/" + name);
  }

  void TearDown() override {
    RecordProperty(kVirtualTime, std::to_string(lab_.elapsed().count()));
    lab_.finish();
  }

  std::vector<std::string> log_;  // of the server

 private:
  std::optional<Server> server_;

 protected:
  Lab lab_;
};

}  // namespace pipette::test
