// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/categories.hpp"

#include "alli/error.hpp"
#include "cache/search/search.hpp"
#include "tests/cache/overlay_fixture.hpp"

namespace alli::cache {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class CategoriesTest : public OverlayTest {
  protected:
    void know(std::vector<Category> categories)
    {
        write([&](Writer& db) { put_category_list(db, "{}", categories, support::at_second(1)); });
    }
    std::optional<std::vector<std::string>> values(const std::string& id)
    {
        return store_->read([&](Reader& db) { return find_category_values(db, id); });
    }
    std::string shown(const std::string& body)
    {
        return store_->read(
            [&](Reader& db) { return write_patch(load_category_names(db).shown(patch_of(EditKind::update, body))); });
    }
    bool has_unknown()
    {
        return store_->read([](Reader& db) { return has_unknown_category(db); });
    }
};

TEST(ReadCategories, TakesWhatHasAnId)
{
    const std::vector<Category> both{{"c1", "Billing"}, {"7", "7"}};
    for (const char* body :
         {R"({"categories":[{"categoryId":"c1","name":"Billing","color":"red"},{"categoryId":7}],"more":1})",
          R"({"result":{"categories":[{"name":"Billing","categoryId":"c1"},{"categoryId":7,"name":null}]}})",
          R"({"categories":[{"categoryId":"c1","name":"Billing"},{"name":"x"},{"categoryId":7},null,"y"]})"})
        EXPECT_EQ(read_categories(body), both) << body;
    EXPECT_THAT(read_categories(R"({"categories":[]})"), IsEmpty());
    EXPECT_EQ(read_categories(R"({"categories":[{"categoryId":"x","name":"\uc5ec\ud589"}]})").front().name, "여행");
    for (const char* bad : {"", "[]", "{}", R"({"categories":{}})", R"({"categories":null})", R"({"categories":[)",
                            R"({"categories":[{"name":"x"}]})", R"({"result":[],"errors":"no"})", "<html>"})
        EXPECT_THROW(read_categories(bad), Error) << bad;
}

TEST_F(CategoriesTest, AreAskedOfUpstreamWhereTheyCanBeTakenForOneAnother)
{
    EXPECT_FALSE(values("c1"));
    know({{"c1", "Billing"}, {"c2", "Travel"}, {"c3", "Travel"}, {"c4", "c5"}, {"c5", "x"}, {"same", "same"}});
    EXPECT_THAT(*values("c1"), ElementsAre("c1", "Billing"));
    EXPECT_THAT(*values("same"), ElementsAre("same"));
    for (const char* id : {"c2", "c3", "c4", "c5", "Billing", "", "none"}) EXPECT_FALSE(values(id)) << id;
}

TEST_F(CategoriesTest, KnowWhetherAConversationBearsAnotherOne)
{
    EXPECT_FALSE(has_unknown());
    put("a", 100, 1, {{"categories", {"Billing", "c2"}}});
    EXPECT_TRUE(has_unknown());
    know({{"c1", "Billing"}});
    EXPECT_TRUE(has_unknown());
    know({{"c1", "Billing"}, {"c2", "Travel"}});
    EXPECT_FALSE(has_unknown());
}

TEST_F(CategoriesTest, ShowAsConversationsBearThem)
{
    const std::string body = R"({"categoryIds":["c2","c9","c1"],"state":"x"})";
    EXPECT_EQ(shown(body), R"({"categories":["c2","c9","c1"],"state":"x"})") << "nothing is known";
    know({{"c1", "Billing"}, {"c2", "Travel"}});
    EXPECT_EQ(shown(body), R"({"categories":["Travel","c9","Billing"],"state":"x"})") << "names are likely";
    put("a", 100, 1, {{"categories", {"c1"}}});
    EXPECT_EQ(shown(body), R"({"categories":["c2","c9","c1"],"state":"x"})") << "ids are seen";
    put("b", 200, 1, {{"categories", {"Travel"}}});
    EXPECT_EQ(shown(body), R"({"categories":["Travel","c9","Billing"],"state":"x"})");
}

TEST_F(CategoriesTest, AWaitingWriteShowsNamesAndIsFoundByIdAndName)
{
    know({{"c1", "Billing"}, {"c2", "Travel"}});
    put("c", 1000, 1, {{"categories", {"Billing"}}});
    show(entry_of(1, EditKind::update, "c", R"({"categoryIds":["c2"]})"));
    EXPECT_EQ(one("c")["categories"], nlohmann::json::parse(R"(["Travel"])"));
    ListFilter filter;
    filter.category_id = "c2";
    EXPECT_TRUE(store_->read([&](Reader& db) { return resolve_category(db, filter); }));
    EXPECT_THAT(listed(filter), ElementsAre("c"));
    drop(1);
    EXPECT_THAT(listed(filter), IsEmpty());
}

TEST_F(CategoriesTest, ABulkUpdateByIdChangesThoseThatBearTheName)
{
    know({{"c1", "Billing"}, {"c2", "Travel"}});
    put("a", 100, 1, {{"categories", {"Billing"}}});
    put("b", 200, 1, {{"categories", {"Travel"}}});
    put("d", 300, 1, {{"categories", {"c1"}}});
    show(entry_of(1, EditKind::bulk_update, "", R"({"categoryIds":["c1"],"conversationInfo":{"title":"bulk"}})"));
    EXPECT_EQ(one("a")["title"], "bulk");
    EXPECT_EQ(one("d")["title"], "bulk");
    EXPECT_NE(one("b")["title"], "bulk");
}

TEST_F(CategoriesTest, SearchTakesEither)
{
    know({{"c1", "Billing"}, {"c2", "Travel"}});
    put("a", 100, 1, {{"title", "lighthouse"}, {"categories", {"Billing"}}});
    put("b", 200, 1, {{"title", "lighthouse"}, {"categories", {"c1"}}});
    put("d", 300, 1, {{"title", "lighthouse"}, {"categories", {"Travel"}}});
    for (const char* word : {"c1", "billing", "BILLING"})
        EXPECT_EQ(hits(std::string("lighthouse category:") + word), 2) << word;
    EXPECT_EQ(hits("lighthouse category:c2"), 1);
    EXPECT_EQ(hits("lighthouse category:none"), 0);
}

TEST(SameMember, ComparesCategoriesAsSets)
{
    EXPECT_TRUE(same_member("categories", R"(["a","b"])", R"([ "b", "a" ])"));
    EXPECT_TRUE(same_member("categories", R"(["a","a"])", R"(["a"])"));
    EXPECT_FALSE(same_member("categories", R"(["a"])", R"(["a","b"])"));
    EXPECT_FALSE(same_member("categories", R"(["a"])", "null"));
    EXPECT_FALSE(same_member("other", R"(["a","b"])", R"(["b","a"])"));
    EXPECT_TRUE(same_member("categories", "[", "["));
    EXPECT_FALSE(same_member("categories", "[", "[]"));
}

} // namespace
} // namespace alli::cache
