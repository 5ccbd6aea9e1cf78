// The lab and Catch2 2.x: a probe that intercepts what CHECK, REQUIRE, FAIL and their kind say.
//
//   lab::Catch2Probe probe;
//   probe.run([] { CHECK(1 == 2); })  -->  "a_test.cc:7: CHECK( 1 == 2 ), which is 1 == 2", and no test fails
//
//   CHECK(lab::has_status(lab.get("http://app/"), 200));   // lab/check.h: says "whose status is 404 Not Found"
//
// While a body runs, the probe stands where the runner does (Catch2's IResultCapture). Sections and generators belong
// to the test around it and are not for probed bodies: a body that has one fails with a word about it.
//
// Bounds     a probed run that passes costs some tens of nanoseconds more than the body.
// Threads    that of the test.
#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <optional>
#include <source_location>
#include <sstream>
#include <stdexcept>
#include <string>

#include "pipette/lab/check.h"
#include "pipette/lab/failure.h"

namespace pipette::lab {

class Catch2Probe final : public FailureProbe {
 public:
  std::optional<std::string> run(const std::function<void()>& body) override {
    Capture capture;
    try {
      body();
    } catch (const Catch::TestFailureException&) {
      // REQUIRE, FAIL or abandon() has said why.
    } catch (...) {
      append_failure(capture.text, nullptr, 0, describe_current_exception());
    }
    if (capture.text.empty()) return std::nullopt;
    return capture.text;
  }

  void report(const std::string& text, std::source_location where) override {
    Catch::AssertionHandler handler("report", Catch::SourceLineInfo(where.file_name(), where.line()),
                                    Catch::StringRef(), Catch::ResultDisposition::ContinueOnFailure);
    handler.handleMessage(Catch::ResultWas::ExplicitFailure, text);
    handler.complete();
  }

  [[noreturn]] void abandon(const std::string& text, std::source_location where) override {
    report(text, where);
    throw Catch::TestFailureException();
  }

 private:
  // Collects failures for as long as it lives.
  class Capture final : public Catch::IResultCapture {
   public:
    Capture() { context().setResultCapture(this); }
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;
    ~Capture() override { context().setResultCapture(outer_); }

    void handleExpr(const Catch::AssertionInfo& info, const Catch::ITransientExpression& expression,
                    Catch::AssertionReaction& reaction) override {
      const bool is_negated = Catch::isFalseTest(info.resultDisposition);
      if (expression.getResult() != is_negated) return pass();
      std::ostringstream why;
      why << ", which is ";
      expression.streamReconstructedExpression(why);
      fail(info, why.str(), reaction);
    }
    void handleMessage(const Catch::AssertionInfo& info, Catch::ResultWas::OfType type, const Catch::StringRef& message,
                       Catch::AssertionReaction& reaction) override {
      if (Catch::isOk(type)) return pass();
      fail(info, ": " + static_cast<std::string>(message), reaction);
    }
    void handleUnexpectedExceptionNotThrown(const Catch::AssertionInfo& info,
                                            Catch::AssertionReaction& reaction) override {
      fail(info, ", which threw nothing", reaction);
    }
    void handleUnexpectedInflightException(const Catch::AssertionInfo& info, const std::string& message,
                                           Catch::AssertionReaction& reaction) override {
      fail(info, ", which threw: " + message, reaction);
    }
    void handleIncomplete(const Catch::AssertionInfo&) override {}  // the exception that left it says more
    void handleNonExpr(const Catch::AssertionInfo& info, Catch::ResultWas::OfType type,
                       Catch::AssertionReaction& reaction) override {
      if (Catch::isOk(type)) return pass();
      fail(info, ", which threw what was not expected", reaction);
    }
    void handleFatalErrorCondition(Catch::StringRef message) override { outer_->handleFatalErrorCondition(message); }

    bool lastAssertionPassed() override { return has_passed_; }
    void assertionPassed() override { pass(); }

    // What INFO and CAPTURE say is of the run around.
    void pushScopedMessage(const Catch::MessageInfo&) override {}
    void popScopedMessage(const Catch::MessageInfo&) override {}
    void emplaceUnscopedMessage(const Catch::MessageBuilder&) override {}

    bool sectionStarted(const Catch::SectionInfo&, Catch::Counts&) override { refuse("SECTION"); }
    void sectionEnded(const Catch::SectionEndInfo&) override {}
    void sectionEndedEarly(const Catch::SectionEndInfo&) override {}
    Catch::IGeneratorTracker& acquireGeneratorTracker(Catch::StringRef, const Catch::SourceLineInfo&) override {
      refuse("GENERATE");
    }
#if defined(CATCH_CONFIG_ENABLE_BENCHMARKING)
    void benchmarkPreparing(const std::string&) override { refuse("BENCHMARK"); }
    void benchmarkStarting(const Catch::BenchmarkInfo&) override {}
    void benchmarkEnded(const Catch::BenchmarkStats<>&) override {}
    void benchmarkFailed(const std::string&) override {}
#endif

    std::string getCurrentTestName() const override { return outer_->getCurrentTestName(); }
    const Catch::AssertionResult* getLastResult() const override { return outer_->getLastResult(); }
    void exceptionEarlyReported() override {}

    std::string text;

   private:
    static Catch::IMutableContext& context() { return Catch::getCurrentMutableContext(); }

    void pass() { has_passed_ = true; }

    void fail(const Catch::AssertionInfo& info, const std::string& why, Catch::AssertionReaction& reaction) {
      has_passed_ = false;
      if (Catch::shouldSuppressFailure(info.resultDisposition)) return;  // CHECK_NOFAIL
      std::string what = static_cast<std::string>(info.macroName);
      if (!info.capturedExpression.empty()) what += "( " + static_cast<std::string>(info.capturedExpression) + " )";
      append_failure(text, info.lineInfo.file, static_cast<int>(info.lineInfo.line), what + why);
      reaction.shouldThrow = (info.resultDisposition & Catch::ResultDisposition::Normal) != 0;
    }

    [[noreturn]] static void refuse(const std::string& what) {
      throw std::logic_error(what + " in a body that is probed; put it into the test around it");
    }

    Catch::IResultCapture* outer_ = context().getResultCapture();
    bool has_passed_ = true;
  };
};

// What the lab finds, it says in the words of the framework (failure.h).
[[gnu::used]] inline FailureProbe& framework_probe() {
  static Catch2Probe probe;
  return probe;
}

}  // namespace pipette::lab
