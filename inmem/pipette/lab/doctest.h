// The lab and doctest 2.4: a probe that intercepts what CHECK, REQUIRE and their kind say.
//
//   lab::DoctestProbe probe;
//   probe.run([] { CHECK(1 == 2); })  -->  "a_test.cc:7: CHECK( 1 == 2 ), which is 1 == 2", and no test fails
//
//   CHECK(lab::has_status(lab.get("http://app/"), 200));   // lab/check.h: says "whose status is 404 Not Found"
//
// While a body runs, doctest is told that no test does, in a context of the probe's own: failed assertions then go to
// its assert handler. FAIL ends a body and is a failure without its message, and FAIL_CHECK is not seen; write
// CHECK_MESSAGE(false, …). Subcases belong to the test around the body.
//
// Bounds     a probed run that passes costs a context: about a microsecond.
// Threads    that of the test.
#pragma once

#include <doctest/doctest.h>
#include <functional>
#include <optional>
#include <source_location>
#include <string>

#include "pipette/lab/check.h"
#include "pipette/lab/failure.h"

// doctest tells nobody which context is current, though a second one that dies leaves none.
namespace doctest::detail {
struct ContextState;
extern ContextState* g_cs;
}  // namespace doctest::detail

namespace pipette::lab {

class DoctestProbe final : public FailureProbe {
 public:
  DoctestProbe() { context_.setAssertHandler(note); }

  std::optional<std::string> run(const std::function<void()>& body) override {
    std::string text;
    const Interception interception(context_, text);
    try {
      body();
    } catch (const doctest::detail::TestFailureException&) {
      if (text.empty()) append_failure(text, nullptr, 0, "FAIL()");  // otherwise REQUIRE has said why
    } catch (...) {
      append_failure(text, nullptr, 0, describe_current_exception());
    }
    if (text.empty()) return std::nullopt;
    return text;
  }

  // A body that is probed says it to the probe: doctest has no handler for what is no assertion.
  void report(const std::string& text, std::source_location where) override {
    if (sink() != nullptr) return append_failure(*sink(), where.file_name(), static_cast<int>(where.line()), text);
    DOCTEST_ADD_FAIL_CHECK_AT(where.file_name(), static_cast<int>(where.line()), text);
  }

  [[noreturn]] void abandon(const std::string& text, std::source_location where) override {
    report(text, where);
    throw doctest::detail::TestFailureException();
  }

 private:
  // Where the failures of the body go that runs on this thread.
  static std::string*& sink() {
    thread_local std::string* current = nullptr;
    return current;
  }

  static void note(const doctest::AssertData& data) {
    std::string why = std::string(doctest::assertString(data.m_at)) + "( " + data.m_expr + " )";
    if (data.m_threw) {
      why += std::string(", which threw: ") + data.m_exception.c_str();
    } else if (data.m_decomp.size() != 0) {
      why += std::string(", which is ") + data.m_decomp.c_str();
    } else {
      why += ", which threw nothing";
    }
    append_failure(*sink(), data.m_file, data.m_line, why);
  }

  class Interception {
   public:
    Interception(doctest::Context& context, std::string& text) : outer_sink_(sink()) {
      context.setAsDefaultForAssertsOutOfTestCases();
      doctest::is_running_in_test = false;
      sink() = &text;
    }
    Interception(const Interception&) = delete;
    Interception& operator=(const Interception&) = delete;
    ~Interception() {
      sink() = outer_sink_;
      doctest::is_running_in_test = was_running_;
      doctest::detail::g_cs = outer_;
    }

   private:
    doctest::detail::ContextState* outer_ = doctest::detail::g_cs;
    bool was_running_ = doctest::is_running_in_test;
    std::string* outer_sink_;
  };

  doctest::Context context_;
};

// What the lab finds, it says in the words of the framework (failure.h).
[[gnu::used]] inline FailureProbe& framework_probe() {
  static DoctestProbe probe;
  return probe;
}

}  // namespace pipette::lab
