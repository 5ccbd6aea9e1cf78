// Forms collected from bodies, and where their files go.
#include "pipette/http/form.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "pipette/http/memory_files.h"

#include "tests/support/printers.h"
#include "tests/support/splits.h"

namespace pipette::http {
namespace {

const Boundary kBoundary = *Boundary::from("b");

std::string field(std::string_view name, std::string_view value) {
  return "--b\r\nContent-Disposition: form-data; name=\"" + std::string(name) + "\"\r\n\r\n" + std::string(value) +
         "\r\n";
}

std::string file(std::string_view name, std::string_view filename, std::string_view content) {
  return "--b\r\nContent-Disposition: form-data; name=\"" + std::string(name) + "\"; filename=\"" +
         std::string(filename) + "\"\r\nContent-Type: image/png\r\n\r\n" + std::string(content) + "\r\n";
}

Result<Form> collect(const test::Pieces& pieces, const MultipartLimits& limits = {}, FileSink* sink = nullptr) {
  FormReader reader(kBoundary, limits, sink);
  for (const std::string_view piece : pieces) {
    const test::ExactBlock block(piece);
    if (const Result<void> taken = reader.take(block.octets()); !taken) return fail(taken.error());
  }
  return reader.finish();
}

// Keeps files in memory, counts calls, and fails in the nth of them that can.
class FailingFiles final : public FileSink {
 public:
  explicit FailingFiles(int fails_at) : left_(fails_at) {}

  Result<void> open(const FormFile& file) override {
    if (fails()) return fail(Errc::too_many_open_files);
    is_open_ = true;
    return files_.open(file);
  }
  Result<void> write(Bytes octets) override {
    if (fails()) return fail(Errc::too_many_open_files);
    return files_.write(octets);
  }
  Result<std::string> finish() override {
    if (fails()) return fail(Errc::too_many_open_files);
    is_open_ = false;
    return files_.finish();
  }
  void abort() override {
    is_open_ = false;
    files_.abort();
  }
  void remove(std::string_view stored_as) override { files_.remove(stored_as); }

  bool has_failed() const { return left_ <= 0; }
  bool is_clean() const { return !is_open_ && files_.size() == 0; }

 private:
  bool fails() { return --left_ == 0; }

  MemoryFiles files_;
  int left_;
  bool is_open_ = false;
};

TEST(FormReader, CollectsValuesAndFilesInEverySplit) {
  const std::string body = field("a", "1") + file("f", "x%22.png", "one") + field("a", "2") + field("", "") +
                           file("f", "", "") + "--b--\r\n";
  test::for_each_split(body, [](const test::Pieces& pieces) {
    const Result<Form> form = collect(pieces);
    ASSERT_TRUE(form);
    EXPECT_EQ(form->value("a"), "1");
    EXPECT_EQ(form->value(""), "");
    EXPECT_EQ(form->value("A"), std::nullopt);
    std::vector<std::string_view> all;
    form->for_each_value("a", [&](std::string_view value) { all.push_back(value); });
    EXPECT_EQ(all, (std::vector<std::string_view>{"1", "2"}));
    ASSERT_EQ(form->files.size(), 2U);
    const FormFile* const first = form->file("f");
    EXPECT_EQ(first, form->files.data());
    EXPECT_EQ(first->filename, "x\".png");
    EXPECT_EQ(first->content_type, "image/png");
    EXPECT_EQ(first->content, "one");
    EXPECT_EQ(first->size, 3U);
    EXPECT_FALSE(first->is_stored);
    EXPECT_EQ(form->files[1].size, 0U);
    EXPECT_EQ(form->file("a"), nullptr);
  });
}

TEST(FormReader, RefusesPartsThatAreNoFormData) {
  for (const std::string_view fields :
       {"", "Content-Type: text/plain\r\n", "Content-Disposition: attachment; name=a\r\n",
        "Content-Disposition: form-data; filename=a\r\n",
        "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n",
        "Content-Disposition: form-data; name=a\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n",
        "Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n",
        "Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: 8bit\r\n"
        "content-transfer-encoding: quoted-printable\r\n"}) {
    const Result<Form> form = collect({"--b\r\n" + std::string(fields) + "\r\nc\r\n--b--"});
    ASSERT_FALSE(form) << fields;
    EXPECT_EQ(form.error(), Errc::bad_multipart) << fields;
  }
  for (const std::string_view coding : {"binary", "8BIT", "7bit"}) {
    const std::string fields =
        "Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: " + std::string(coding) + "\r\n";
    EXPECT_TRUE(collect({"--b\r\n" + fields + "\r\nc\r\n--b--"})) << coding;
  }
}

TEST(FormReader, RefusesAnUnfinishedBodyAndGivesOneForm) {
  FormReader reader(kBoundary);
  EXPECT_TRUE(reader.take(field("a", "1")));
  EXPECT_EQ(reader.finish().error(), Errc::bad_multipart);
  FormReader other(kBoundary);
  EXPECT_TRUE(other.take(field("a", "1") + "--b--"));
  EXPECT_TRUE(other.finish());
  EXPECT_FALSE(other.finish());
  EXPECT_FALSE(other.take(""));
}

TEST(FormReader, CountsWhatItKeeps) {
  const std::string body = field("abc", "12345") + file("f", "g", "1234567") + "--b--";
  const std::uint64_t needed = 2 * kFormPartCost + 3 + 5 + 1 + 1 + 9 + 7;
  EXPECT_TRUE(collect({body}, {.max_memory_bytes = needed}));
  for (std::uint64_t memory = 0; memory < needed; ++memory) {
    const Result<Form> form = collect({body}, {.max_memory_bytes = memory});
    ASSERT_FALSE(form) << memory;
    EXPECT_EQ(form.error(), Errc::multipart_too_large);
  }
}

TEST(FormReader, GivesFilesToTheSinkWhenMemoryIsFull) {
  const std::string large(1000, 'l');
  const std::string body =
      file("b", "", large) + field("c", "value") + file("d", "", large) + file("e", "", "small") + "--b--";
  const MultipartLimits limits{.max_memory_bytes = 4 * kFormPartCost + 100};
  for (const test::Pieces& pieces : {test::Pieces{body}, test::one_by_one(body)}) {
    MemoryFiles files;
    Result<Form> form = collect(pieces, limits, &files);
    ASSERT_TRUE(form);
    EXPECT_FALSE(form->file("e")->is_stored);
    EXPECT_EQ(form->file("e")->content, "small");
    for (const std::string_view name : {"b", "d"}) {
      const FormFile* const stored = form->file(name);
      ASSERT_TRUE(stored->is_stored);
      EXPECT_EQ(stored->content, "");
      EXPECT_EQ(stored->size, large.size());
      ASSERT_NE(files.find(stored->stored_as), nullptr);
      EXPECT_EQ(*files.find(stored->stored_as), large);
    }
    EXPECT_EQ(form->value("c"), "value");
    EXPECT_EQ(files.size(), 2U);
    form->remove_files(files);
    EXPECT_EQ(files.size(), 0U);
  }
}

TEST(FormReader, MovesFilesOutOfMemoryToMakeRoomForFields) {
  const std::string body =
      file("a", "", std::string(400, 'a')) + file("b", "", "") + field("c", std::string(300, 'c')) + "--b--";
  const MultipartLimits limits{.max_memory_bytes = 3 * kFormPartCost + 500};
  EXPECT_EQ(collect({body}, limits).error(), Errc::multipart_too_large);
  MemoryFiles files;
  Result<Form> form = collect({body}, limits, &files);
  ASSERT_TRUE(form);
  EXPECT_TRUE(form->file("a")->is_stored);
  EXPECT_EQ(*files.find(form->file("a")->stored_as), std::string(400, 'a'));
  EXPECT_FALSE(form->file("b")->is_stored);
  EXPECT_EQ(form->value("c"), std::string(300, 'c'));
  for (int nth = 1; nth <= 3; ++nth) {
    FailingFiles failing(nth);
    EXPECT_EQ(collect({body}, limits, &failing).error(), Errc::too_many_open_files);
    EXPECT_TRUE(failing.is_clean()) << nth;
  }
}

TEST(FormReader, NeverGivesAFieldToTheSink) {
  MemoryFiles files;
  const std::string body = field("a", std::string(1000, 'l')) + "--b--";
  EXPECT_EQ(collect({body}, {.max_memory_bytes = 500}, &files).error(), Errc::multipart_too_large);
}

TEST(FormReader, CleansUpWhicheverCallOfTheSinkFails) {
  const std::string body = file("a", "", std::string(500, 'a')) + file("b", "", std::string(500, 'b')) + "--b--";
  const MultipartLimits limits{.max_memory_bytes = 2 * kFormPartCost + 100};
  for (const test::Pieces& pieces : {test::Pieces{body}, test::one_by_one(body)}) {
    int failures = 0;
    for (int nth = 1;; ++nth) {
      FailingFiles files(nth);
      const Result<Form> form = collect(pieces, limits, &files);
      if (form) break;
      ++failures;
      EXPECT_EQ(form.error(), Errc::too_many_open_files);
      EXPECT_TRUE(files.has_failed());
      EXPECT_TRUE(files.is_clean()) << nth;
    }
    EXPECT_GE(failures, 6);  // open, write, finish, twice
  }
}

TEST(FormReader, CleansUpWhenTheBodyIsRefusedOrGivenUp) {
  const std::string content(500, 'c');
  const MultipartLimits limits{.max_memory_bytes = 2 * kFormPartCost + 100};
  const std::string whole = file("a", "", content) + file("b", "", content) + "--b--";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    MemoryFiles files;
    EXPECT_FALSE(collect({whole.substr(0, size)}, limits, &files)) << size;
    EXPECT_EQ(files.size(), 0U) << size;
  }
  FailingFiles files(1000);
  EXPECT_FALSE(collect({file("a", "", content), file("b", "", content), "--b!"}, limits, &files));
  EXPECT_TRUE(files.is_clean());
  {
    FormReader reader(kBoundary, limits, &files);
    EXPECT_TRUE(reader.take(file("a", "", content) + file("b", "", content)));
    EXPECT_FALSE(files.is_clean());
  }
  EXPECT_TRUE(files.is_clean());
}

TEST(FormReader, RepeatsItsError) {
  FormReader reader(kBoundary, {.max_parts = 1});
  EXPECT_EQ(reader.take(field("a", "1") + field("b", "2")).error(), Errc::too_many_parts);
  EXPECT_EQ(reader.take("--b--").error(), Errc::too_many_parts);
  EXPECT_EQ(reader.finish().error(), Errc::too_many_parts);
}

}  // namespace
}  // namespace pipette::http
