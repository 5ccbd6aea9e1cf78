#include "pipette/lab/golden.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <stdexcept>

#include "tests/lab/log_writer.h"

namespace pipette::lab {
namespace {

using test::LogWriter;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// A file of this test's own, gone when it ends.
class File {
 public:
  File()
      : folder_(::testing::TempDir() + "pipette_golden_" +
                ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
  }
  ~File() { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ + "/some/story.txt"; }
  std::string text() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

 private:
  std::string folder_;
};

LogWriter dated(std::string_view date) {
  LogWriter world;
  world.dial().client("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  world.server("HTTP/1.1 204 No Content\r\ndate: " + std::string(date) + "\r\nVary: *\r\n\r\n");
  return world;
}

TEST(Golden, SaysHowToMakeAMissingFile) {
  const File file;
  const std::string path = file.path();
  EXPECT_EQ(compare_text_with_golden("a\n", path, {}, GoldenMode::compare),
            "there is no golden file " + path +
                ": run this test once with PIPETTE_UPDATE_GOLDEN=1, read what it wrote, and commit it\n");
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Golden, IsWrittenOnceAndComparedFromThenOn) {
  const File file;
  const LogWriter world = dated("Mon, 01 Jan 2024 00:00:00 GMT");
  EXPECT_EQ(compare_with_golden(world.log(), file.path(), {}, GoldenMode::update), "");
  EXPECT_THAT(file.text(), HasSubstr("    HTTP/1.1 204 No Content\n    date: Mon, 01 Jan 2024 00:00:00 GMT\n"));
  EXPECT_EQ(compare_with_golden(world.log(), file.path(), {}, GoldenMode::compare), "");
}

TEST(Golden, ShowsWhatDiffersAndWhatToDo) {
  const File file;
  const std::string golden = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
  ASSERT_EQ(compare_text_with_golden(golden, file.path(), {}, GoldenMode::update), "");
  EXPECT_EQ(compare_text_with_golden("1\n2\n3\n4\nfive\n6\n8\n9\nten", file.path(), {}, GoldenMode::compare),
            "what happened is not what the golden file " + file.path() +
                " tells (- golden, + now):\n"
                "    …\n"
                "    2\n"
                "    3\n"
                "    4\n"
                "  - 5\n"
                "  + five\n"
                "    6\n"
                "  - 7\n"
                "    8\n"
                "    9\n"
                "  + ten\n"
                "if it is right now, run this test with PIPETTE_UPDATE_GOLDEN=1, and commit the file\n");
  EXPECT_EQ(file.text(), golden);
}

TEST(Golden, HidesMaskedFieldsOnBothSides) {
  const File file;
  const std::string path = file.path();
  ASSERT_EQ(compare_with_golden(dated("then").log(), path, {}, GoldenMode::update), "");
  EXPECT_THAT(compare_with_golden(dated("now").log(), path, {}, GoldenMode::compare), HasSubstr("+     date: now\n"));
  EXPECT_EQ(compare_with_golden(dated("now").log(), path, Masks().field("Date"), GoldenMode::compare), "");
  EXPECT_THAT(compare_with_golden(dated("now").log(), path, Masks().field("Vary"), GoldenMode::compare), Not(""));
}

TEST(Golden, LeavesAFileAloneThatFitsWithItsMasks) {
  const File file;
  ASSERT_EQ(compare_with_golden(dated("then").log(), file.path(), {}, GoldenMode::update), "");
  ASSERT_EQ(compare_with_golden(dated("now").log(), file.path(), Masks().field("Date"), GoldenMode::update), "");
  EXPECT_THAT(file.text(), HasSubstr("date: then"));
}

TEST(Golden, SaysThatAFileCannotBeWritten) {
  const File file;
  std::filesystem::create_directories(file.path());
  EXPECT_EQ(compare_text_with_golden("a", file.path(), {}, GoldenMode::update),
            "cannot write the golden file " + file.path() + ": make its folder writable\n");
}

struct MaskCase {
  Masks masks;
  std::string_view text;
  std::string_view masked;
};

TEST(Masks, HideWhatTheirPatternsFit) {
  const MaskCase cases[] = {
      {Masks().pattern("10.0.0.1:#"), "10.0.0.1:49152 -> 10.0.0.1:80 10.0.0.1:", "10.0.0.1:# -> 10.0.0.1:# 10.0.0.1:"},
      {Masks().pattern("id=*"), "id=a1b2; id= id=\"x\"", "id=*; id= id=\"x\""},
      {Masks().pattern("*:80"), "to app:80, to b:81", "to *:80, to b:81"},
      {Masks().pattern("+#.#"), "+0.000000000  conn 1", "+#.#  conn 1"},
      {Masks().everywhere("boundary=*"), "a; boundary=XyZ12\n--XyZ12\n--XyZ12--", "a; boundary=*\n--*\n--*--"},
      {Masks().everywhere("boundary=*"), "boundary=ab\n--ab", "boundary=*\n--ab"},
      {Masks().field("Date"), "Date: a\n    Date: b\n    DATE:c\n    Dated: d\n",
       "Date: a\n    Date: *\n    DATE: *\n    Dated: d\n"},
      {Masks().pattern("a#").pattern("b#"), "a1 b2", "a# b#"},
  };
  for (const MaskCase& c : cases) {
    const std::string masked = c.masks.apply(c.text);
    EXPECT_EQ(masked, c.masked);
    EXPECT_EQ(c.masks.apply(masked), masked);
  }
}

TEST(Masks, RefuseWhatWouldHideEverything) {
  EXPECT_THROW(Masks().pattern(""), std::invalid_argument);
  EXPECT_THROW(Masks().pattern("*#"), std::invalid_argument);
  EXPECT_THROW(Masks().everywhere("a\nb"), std::invalid_argument);
  EXPECT_THROW(Masks().field("no name"), std::invalid_argument);
}

}  // namespace
}  // namespace pipette::lab
