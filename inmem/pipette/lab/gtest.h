// The lab and GoogleTest: a probe that intercepts failures, and artefacts of the tests that fail.
//
//   lab::GTestProbe probe;
//   probe.run([] { EXPECT_EQ(1, 2); })  -->  "a_test.cc:7: Expected equality of these values: …", and no test fails
//
//   int main(int argc, char** argv) {
//     testing::InitGoogleMock(&argc, argv);
//     pipette::lab::LabListener::install();      // or link pipette::lab_main, which has just this main()
//     return RUN_ALL_TESTS();
//   }
//
// A test needs none of this to use a Lab. With the listener and PIPETTE_ARTEFACTS=folder in the environment, each lab
// that dies in a failed test leaves its transcript, packets and diagram in folder/Suite.Name/; the paths are
// printed, and are properties of the test in --gtest_output.
//
// Bounds     a probed run that passes costs some tens of nanoseconds more than the body. --gtest_break_on_failure stops
//            at intercepted failures too: use it on the replay of one.
// Lifetime   the listener belongs to GoogleTest.   Threads  failures of the probing thread only.
#pragma once

#include <cerrno>
#include <cstdio>
#include <exception>
#include <functional>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <source_location>
#include <string>

#include "pipette/lab/artefacts.h"
#include "pipette/lab/failure.h"

namespace pipette::lab {

class GTestProbe final : public FailureProbe {
 public:
  std::optional<std::string> run(const std::function<void()>& body) override {
    testing::TestPartResultArray results;
    std::string thrown;
    {
      const testing::ScopedFakeTestPartResultReporter interception(
          testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
      try {
        body();
      } catch (const testing::AssertionException&) {
        // abandon() has said why.
      } catch (...) {
        thrown = describe_current_exception();
      }
    }
    if (results.size() == 0 && thrown.empty()) return std::nullopt;
    return put_together(results, thrown);
  }

  void report(const std::string& text, std::source_location where) override {
    ADD_FAILURE_AT(where.file_name(), static_cast<int>(where.line())) << text;
  }

  [[noreturn]] void abandon(const std::string& text, std::source_location where) override {
    report(text, where);
    const auto line = static_cast<int>(where.line());
    throw testing::AssertionException(
        {testing::TestPartResult::kNonFatalFailure, where.file_name(), line, text.c_str()});
  }

  std::string rerun_command() const override {
    const testing::TestInfo* const test = testing::UnitTest::GetInstance()->current_test_info();
    if (test == nullptr) return program_invocation_name;
    return std::string(program_invocation_name) + " --gtest_filter=" + test->test_suite_name() + "." + test->name();
  }

 private:
  static std::optional<std::string> put_together(const testing::TestPartResultArray& results,
                                                 const std::string& thrown) {
    std::string text;
    for (int i = 0; i < results.size(); ++i) {
      const testing::TestPartResult& result = results.GetTestPartResult(i);
      if (result.failed()) append_failure(text, result.file_name(), result.line_number(), result.message());
    }
    if (!thrown.empty()) append_failure(text, nullptr, 0, thrown);
    if (text.empty()) return std::nullopt;  // it said SUCCEED() or GTEST_SKIP()
    return text;
  }
};

// What the lab finds, it says in GoogleTest's words (failure.h).
[[gnu::used]] inline FailureProbe& framework_probe() {
  static GTestProbe probe;
  return probe;
}

// The artefacts of the test that is running, wanted once it has failed.
class GTestArtefacts final : public ArtefactFolder {
 public:
  using ArtefactFolder::ArtefactFolder;

  // A test that throws has failed, though GoogleTest does not know yet.
  bool is_wanted() const override { return testing::Test::HasFailure() || std::uncaught_exceptions() > 0; }
  void add(const Artefact& artefact) override {
    ArtefactFolder::add(artefact);
    if (!files().empty()) testing::Test::RecordProperty(artefact.name, files().back().string());
  }
};

class LabListener final : public testing::EmptyTestEventListener {
 public:
  // Call it once, after testing::InitGoogleTest() or InitGoogleMock().
  static void install() {
    testing::UnitTest::GetInstance()->listeners().Append(std::make_unique<LabListener>().release());
  }

  void OnTestStart(const testing::TestInfo& test) override {
    const auto folder = artefact_folder(std::string(test.test_suite_name()) + "." + test.name());
    if (folder.empty()) return;
    artefacts_ = std::make_unique<GTestArtefacts>(folder);
    scope_.emplace(artefacts_.get());
  }

  void OnTestEnd(const testing::TestInfo&) override {
    scope_.reset();
    if (!artefacts_) return;
    for (const auto& file : artefacts_->files()) std::printf("[ artefact ] %s\n", file.c_str());
    artefacts_.reset();
  }

 private:
  std::unique_ptr<GTestArtefacts> artefacts_;
  std::optional<ArtefactScope> scope_;
};

}  // namespace pipette::lab
