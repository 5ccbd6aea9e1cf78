#include "pipette/lab/failure.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>

#include "pipette/lab/artefacts.h"
#include "pipette/lab/gtest.h"

#include "tests/support/abandoning.h"

namespace pipette::lab {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Optional;

void throw_luck() { throw std::runtime_error("out of luck"); }

// ---- exceptions -----------------------------------------------------------------------------------------------------

TEST(ExceptionProbe, TellsWhatABodyThrew) {
  ExceptionProbe probe;
  EXPECT_EQ(probe.run([] {}), std::nullopt);
  EXPECT_EQ(probe.run(throw_luck), "threw: out of luck");
  EXPECT_EQ(probe.run([] { throw 42; }), "threw what is no std::exception");
}

TEST(ExceptionProbe, ReportsByThrowing) {
  ExceptionProbe probe;
  try {
    probe.fail_here("the worst");
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Failed& failed) {
    EXPECT_THAT(failed.what(), AllOf(HasSubstr("failure_test.cc:"), EndsWith(": the worst")));
  }
}

// ---- GoogleTest -----------------------------------------------------------------------------------------------------

TEST(GTestProbe, InterceptsExpectations) {
  GTestProbe probe;
  EXPECT_EQ(probe.run([] { EXPECT_EQ(1, 1); }), std::nullopt);
  const std::optional<std::string> why = probe.run([] {
    EXPECT_TRUE(false) << "first";
    EXPECT_TRUE(false) << "second";
  });
  EXPECT_THAT(why, Optional(AllOf(HasSubstr("failure_test.cc:"), HasSubstr("first\n"), HasSubstr("second"))));
  EXPECT_FALSE(HasFailure());
}

TEST(GTestProbe, InterceptsAssertions) {
  GTestProbe probe;
  bool went_on = false;
  const std::optional<std::string> why = probe.run([&] {
    ASSERT_EQ(1, 2) << "on purpose";
    went_on = true;
  });
  EXPECT_THAT(why, Optional(HasSubstr("on purpose")));
  EXPECT_FALSE(went_on);
}

TEST(GTestProbe, InterceptsExceptions) {
  GTestProbe probe;
  EXPECT_EQ(probe.run(throw_luck), "threw: out of luck");
  EXPECT_EQ(probe.run([] { throw 42; }), "threw what is no std::exception");
  const std::optional<std::string> both = probe.run([] {
    EXPECT_TRUE(false);
    throw_luck();
  });
  EXPECT_THAT(both, Optional(AllOf(HasSubstr("failure_test.cc:"), EndsWith("\nthrew: out of luck"))));
}

TEST(GTestProbe, TakesNoSkipAndNoSuccessForAFailure) {
  GTestProbe probe;
  EXPECT_EQ(probe.run([] { SUCCEED() << "well"; }), std::nullopt);
  EXPECT_EQ(probe.run([] { GTEST_SKIP() << "not today"; }), std::nullopt);
  EXPECT_FALSE(IsSkipped());
}

TEST(GTestProbe, GivesTheSameTextForTheSameFailure) {
  GTestProbe probe;
  const auto body = [] { EXPECT_EQ(std::string("a"), "b"); };
  EXPECT_EQ(probe.run(body), probe.run(body));
}

TEST(GTestProbe, MayBeNested) {
  GTestProbe probe;
  const std::optional<std::string> outer = probe.run([&] {
    EXPECT_TRUE(probe.run([] { FAIL() << "inner"; }));
    ADD_FAILURE() << "outer";
  });
  EXPECT_THAT(outer, Optional(AllOf(HasSubstr("outer"), testing::Not(HasSubstr("inner")))));
}

TEST(GTestProbe, InterceptsNothingAfterARun) {
  GTestProbe probe;
  (void)probe.run([] { FAIL(); });
  EXPECT_NONFATAL_FAILURE(EXPECT_TRUE(false) << "seen", "seen");
}

TEST(GTestProbe, ReportsOneFailureAtThePlaceOfTheCall) {
  GTestProbe probe;
  const int line = __LINE__ + 1;
  const std::optional<std::string> why = probe.run([&] { probe.fail_here("the worst"); });
  EXPECT_THAT(why, Optional(EndsWith("failure_test.cc:" + std::to_string(line) + ": Failed\nthe worst")));
}

TEST(Probes, AbandonABodyThatHasFailed) {
  GTestProbe gtest;
  ExceptionProbe exceptions;
  for (FailureProbe* const probe : {static_cast<FailureProbe*>(&gtest), static_cast<FailureProbe*>(&exceptions)}) {
    EXPECT_EQ(test::flaw_in_abandoning(*probe), "");
  }
}

// ---- artefacts ------------------------------------------------------------------------------------------------------

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// A folder that is there for one test, named by PIPETTE_ARTEFACTS.
class ArtefactsTest : public testing::Test {
 protected:
  ArtefactsTest() : root_(std::filesystem::path(testing::TempDir()) / ("pipette_artefacts_" + name())) {
    if (const char* const outer = std::getenv("PIPETTE_ARTEFACTS")) outer_ = outer;
    std::filesystem::remove_all(root_);
    ::setenv("PIPETTE_ARTEFACTS", root_.c_str(), 1);
  }
  ~ArtefactsTest() override {
    std::filesystem::remove_all(root_);
    outer_ ? ::setenv("PIPETTE_ARTEFACTS", outer_->c_str(), 1) : ::unsetenv("PIPETTE_ARTEFACTS");
  }

  static std::string name() { return testing::UnitTest::GetInstance()->current_test_info()->name(); }
  const std::filesystem::path& root() const { return root_; }

 private:
  std::filesystem::path root_;
  std::optional<std::string> outer_;
};

TEST_F(ArtefactsTest, HaveNoPlaceWhereNobodyAsks) {
  const ArtefactScope none(nullptr);
  EXPECT_EQ(Artefacts::current(), nullptr);
  ::setenv("PIPETTE_ARTEFACTS", "", 1);
  EXPECT_EQ(artefact_folder("a"), "");
  ::unsetenv("PIPETTE_ARTEFACTS");
  EXPECT_EQ(artefact_folder("a"), "");
}

TEST_F(ArtefactsTest, GoWhereTheInnermostScopeSays) {
  Artefacts* const outside = Artefacts::current();
  ArtefactFolder outer(root() / "outer");
  ArtefactFolder inner(root() / "inner");
  {
    const ArtefactScope outer_scope(&outer);
    {
      const ArtefactScope inner_scope(&inner);
      EXPECT_EQ(Artefacts::current(), &inner);
    }
    EXPECT_EQ(Artefacts::current(), &outer);
  }
  EXPECT_EQ(Artefacts::current(), outside);
}

TEST_F(ArtefactsTest, AreFilesInAFolderOfTheTest) {
  EXPECT_EQ(artefact_folder("Pipe/Suite.Name/0"), root() / "Pipe_Suite.Name_0");
  EXPECT_EQ(artefact_folder("../x"), root() / "_._x");
  ArtefactFolder folder(artefact_folder("Suite.Name"));
  EXPECT_FALSE(std::filesystem::exists(root())) << "nothing was left yet";
  folder.add({"transcript.txt", "one"});
  folder.add({"transcript.txt", "two"});
  folder.add({"net/work.pcapng", std::string("\0\n", 2)});
  folder.add({"transcript.txt", "three"});
  const std::filesystem::path at = root() / "Suite.Name";
  EXPECT_THAT(folder.files(), ElementsAre(at / "transcript.txt", at / "transcript-2.txt", at / "net_work.pcapng",
                                          at / "transcript-3.txt"));
  EXPECT_EQ(content_of(at / "transcript.txt"), "one");
  EXPECT_EQ(content_of(at / "transcript-2.txt"), "two");
  EXPECT_EQ(content_of(at / "net_work.pcapng"), std::string("\0\n", 2));
}

TEST_F(ArtefactsTest, ThatCannotBeWrittenAreSaid) {
  std::ofstream(root()) << "a file, where a folder is asked for";
  ArtefactFolder folder(artefact_folder("Suite.Name"));
  testing::internal::CaptureStderr();
  folder.add({"transcript.txt", "one"});
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "pipette: cannot write " + (root() / "Suite.Name/transcript.txt").string() +
                "; does PIPETTE_ARTEFACTS name a folder that may be written to?\n");
  EXPECT_TRUE(folder.files().empty());
}

// What a lab does when it dies.
void leave_artefacts() {
  Artefacts* const artefacts = Artefacts::current();
  if (artefacts != nullptr && artefacts->is_wanted()) artefacts->add({"transcript.txt", "+0.0  dial"});
}

TEST_F(ArtefactsTest, AreLeftByFailedTestsOnly) {
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  LabListener listener;
  listener.OnTestStart(test);
  ASSERT_NE(Artefacts::current(), nullptr);
  leave_artefacts();
  EXPECT_FALSE(std::filesystem::exists(root())) << "the test has not failed";
  try {
    struct Dying {
      ~Dying() { leave_artefacts(); }
    } lab;
    throw_luck();
  } catch (const std::runtime_error&) {
  }
  testing::internal::CaptureStdout();
  listener.OnTestEnd(test);
  const std::filesystem::path file = root() / ("ArtefactsTest." + name()) / "transcript.txt";
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "[ artefact ] " + file.string() + "\n");
  EXPECT_EQ(content_of(file), "+0.0  dial");
  ASSERT_EQ(test.result()->test_property_count(), 1);
  EXPECT_EQ(test.result()->GetTestProperty(0).value(), file.string());
}

TEST_F(ArtefactsTest, AreNotMadeForProbedRuns) {
  LabListener listener;
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  listener.OnTestStart(test);
  GTestProbe probe;
  EXPECT_TRUE(probe.run([] {
    EXPECT_TRUE(false);
    leave_artefacts();
  }));
  listener.OnTestEnd(test);
  EXPECT_FALSE(std::filesystem::exists(root()));
}

}  // namespace
}  // namespace pipette::lab
