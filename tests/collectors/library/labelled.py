"""Names as they lie on real disks, with what they are: (root kind, path, expected fields)."""

from __future__ import annotations

from typing import Any

M, T, A, S = "movies", "tv", "anime", "music"


def _movie(title: str, year: int | None, quality: str = "unknown") -> dict[str, Any]:
    return {"kind": "movie", "title": title, "year": year, "quality": quality}


def _episode(title: str, season: int, episode: int | None, quality: str = "unknown") -> dict[str, Any]:
    return {"kind": "episode", "title": title, "season": season, "episode": episode, "quality": quality}


def _anime(title: str, season: int | None, episode: int | None, quality: str = "unknown") -> dict[str, Any]:
    return {"kind": "anime", "title": title, "season": season, "episode": episode, "quality": quality}


def _track(artist: str | None, album: str | None, title: str) -> dict[str, Any]:
    return {"kind": "track", "artist": artist, "album": album, "title": title}


NAMES: list[tuple[str, str, dict[str, Any]]] = [
    # films, English
    (
        M,
        "Dune.2021.2160p.UHD.BluRay.x265-GRP/Dune.2021.2160p.UHD.BluRay.x265-GRP.mkv",
        _movie("Dune", 2021, "2160p"),
    ),
    (M, "Dune (2021)/Dune (2021) - 4K.mkv", _movie("Dune", 2021, "2160p")),
    (M, "Aliens 1986 DTS5.1.mkv", _movie("Aliens", 1986)),
    (M, "1917.2019.1080p.BluRay.x264-SPARKS.mkv", _movie("1917", 2019, "1080p")),
    (M, "2012 (2009)/2012 (2009) 720p.mp4", _movie("2012", 2009, "720p")),
    (
        M,
        "Blade Runner 2049 (2017)/Blade.Runner.2049.2017.1080p.mkv",
        _movie("Blade Runner 2049", 2017, "1080p"),
    ),
    (
        M,
        "2001.A.Space.Odyssey.1968.REMASTERED.1080p.BluRay.mkv",
        _movie("2001 A Space Odyssey", 1968, "1080p"),
    ),
    (M, "The.Matrix.1999.1080p.BrRip.x264.YIFY.mp4", _movie("The Matrix", 1999, "1080p")),
    (
        M,
        "The Godfather Part II (1974) [1080p]/The.Godfather.Part.II.mkv",
        _movie("The Godfather Part II", 1974, "1080p"),
    ),
    (M, "Se7en.1995.DVDRip.XviD.avi", _movie("Se7en", 1995, "480p")),
    (M, "Amélie (2001).mkv", _movie("Amélie", 2001)),
    (M, "Spider-Man.No.Way.Home.2021.720p.WEBRip.mkv", _movie("Spider-Man No Way Home", 2021, "720p")),
    (M, "Mad.Max.Fury.Road.2015.HDR.2160p.WEB-DL.DDP5.1.mkv", _movie("Mad Max Fury Road", 2015, "2160p")),
    (M, "WALL-E (2008)/WALL-E.2008.1080p.mkv", _movie("WALL-E", 2008, "1080p")),
    (
        M,
        "The.Lord.of.the.Rings.The.Two.Towers.2002.EXTENDED.1080p.mkv",
        _movie("The Lord of the Rings The Two Towers", 2002, "1080p"),
    ),
    (M, "Alien (1979)/BDMV/STREAM/00001.m2ts", _movie("Alien", 1979)),
    (M, "Casablanca (1942)/VIDEO_TS/VTS_01_1.VOB", _movie("Casablanca", 1942)),
    (M, "Inception (2010)/movie.mkv", _movie("Inception", 2010)),
    (M, "Heat.1995.1920x1080.mkv", _movie("Heat", 1995, "1080p")),
    (M, "Old/Metropolis.1927.480p.avi", _movie("Metropolis", 1927, "480p")),
    (M, "Parasite.2019.KOREAN.1080p.BluRay.H264.AAC-VXT.mp4", _movie("Parasite", 2019, "1080p")),
    (M, "Oppenheimer.2023.IMAX.2160p.UHD.Bluray.REMUX.HEVC.mkv", _movie("Oppenheimer", 2023, "2160p")),
    (
        M,
        "Everything Everywhere All at Once (2022) {imdb-tt6710474}.mkv",
        _movie("Everything Everywhere All at Once", 2022),
    ),
    (M, "12.Angry.Men.1957.1080p.mkv", _movie("12 Angry Men", 1957, "1080p")),
    (M, "Ocean's Eleven (2001).mkv", _movie("Ocean's Eleven", 2001)),
    (M, "300.2006.720p.BluRay.mkv", _movie("300", 2006, "720p")),
    (
        M,
        "Top Gun Maverick (2022)/Top Gun Maverick (2022) Bluray-2160p.mkv",
        _movie("Top Gun Maverick", 2022, "2160p"),
    ),
    (M, "M (1931).mkv", _movie("M", 1931)),
    (M, "Seven.Samurai.1954.Criterion.1080p.mkv", _movie("Seven Samurai", 1954, "1080p")),
    (M, "Lola rennt (1998)/Lola rennt (1998).mkv", _movie("Lola rennt", 1998)),
    (M, "Movies A-Z/Up (2009)/Up (2009).mkv", _movie("Up", 2009)),
    (M, "Jaws.1975.576p.mkv", _movie("Jaws", 1975, "480p")),
    # films, Chinese
    (M, "流浪地球 (2019)/流浪地球 (2019) 1080p.mkv", _movie("流浪地球", 2019, "1080p")),
    (M, "霸王别姬.1993.1080p.BluRay.x264.mkv", _movie("霸王别姬", 1993, "1080p")),
    (M, "让子弹飞（2010）/让子弹飞.mkv", _movie("让子弹飞", 2010)),
    (M, "你好，李焕英.2021.2160p.WEB-DL.H265.mp4", _movie("你好，李焕英", 2021, "2160p")),
    (M, "我不是药神 (2018) - 1080p.mkv", _movie("我不是药神", 2018, "1080p")),
    (M, "大话西游之大圣娶亲 (1995)/大话西游之大圣娶亲.720p.mkv", _movie("大话西游之大圣娶亲", 1995, "720p")),
    (M, "哪吒之魔童降世.2019.4K.mkv", _movie("哪吒之魔童降世", 2019, "2160p")),
    (M, "满江红 [2023].mp4", _movie("满江红", 2023)),
    (M, "【电影天堂】封神第一部 (2023).mkv", _movie("封神第一部", 2023)),
    (M, "卧虎藏龙.2000.BluRay.1080p.mkv", _movie("卧虎藏龙", 2000, "1080p")),
    (M, "功夫 (2004)/功夫 (2004).mkv", _movie("功夫", 2004)),
    (M, "1921 (2021)/1921 (2021) 1080p.mkv", _movie("1921", 2021, "1080p")),
    (M, "战狼2.2017.HD1080P.国语中字.mp4", _movie("战狼2", 2017, "1080p")),
    (M, "阳光电影www.ygdy8.com.长津湖.2021.BD.1080P.mkv", _movie("长津湖", 2021, "1080p")),
    (M, "肖申克的救赎.The.Shawshank.Redemption.1994.1080p.mkv", _movie("肖申克的救赎", 1994, "1080p")),
    (M, "Mission.Impossible.-.Fallout.2018.mkv", _movie("Mission Impossible - Fallout", 2018)),
    (M, "Fahrenheit 9-11 (2004).mkv", _movie("Fahrenheit 9-11", 2004)),
    # series, English
    (
        T,
        "The Last of Us (2023) Season 1 S01 (1080p)/The Last of Us - S01E03.mkv",
        _episode("The Last of Us", 1, 3, "1080p"),
    ),
    (T, "Its Always Sunny/S5/Its.Always.Sunny.512.mkv", _episode("Its Always Sunny", 5, 12)),
    (T, "白夜追凶.Day.and.Night.2017.EP05.1080p.mkv", _episode("白夜追凶", 1, 5, "1080p")),
    (T, "觉醒年代 全43集 4K/觉醒年代 12.mp4", _episode("觉醒年代", 1, 12, "2160p")),
    (T, "Breaking Bad/Season 1/Breaking Bad - S01E01 - Pilot.mkv", _episode("Breaking Bad", 1, 1)),
    (
        T,
        "Breaking Bad/Season 05/Breaking.Bad.S05E14.Ozymandias.1080p.mkv",
        _episode("Breaking Bad", 5, 14, "1080p"),
    ),
    (T, "Friends/S01/05.mkv", _episode("Friends", 1, 5)),
    (T, "Friends/Season 2/Friends - 2x03.avi", _episode("Friends", 2, 3)),
    (T, "Game.of.Thrones.S08E03.720p.WEB.H264-MEMENTO.mkv", _episode("Game of Thrones", 8, 3, "720p")),
    (T, "The.Office.US.S03E10-E11.1080p.mkv", _episode("The Office US", 3, 10, "1080p")),
    (T, "Doctor Who (2005)/Season 4/Doctor Who (2005) - S04E10.mkv", _episode("Doctor Who", 4, 10)),
    (T, "Sherlock/Specials/Sherlock - S00E01.mkv", _episode("Sherlock", 0, 1)),
    (T, "Chernobyl.S01.1080p.BluRay/Chernobyl.S01E02.mkv", _episode("Chernobyl", 1, 2, "1080p")),
    (T, "The.Wire.S01E01.DVDRip.avi", _episode("The Wire", 1, 1, "480p")),
    (T, "Planet Earth/Planet Earth - 1x01 - From Pole to Pole.mkv", _episode("Planet Earth", 1, 1)),
    (T, "24/Season 1/24 - S01E01 - 1200.mkv", _episode("24", 1, 1)),
    (T, "The 100/Season 02/The.100.S02E05.mkv", _episode("The 100", 2, 5)),
    (T, "Band of Brothers (2001)/Episode 3.mkv", _episode("Band of Brothers", 1, 3)),
    (T, "Severance/Season 2/Severance.S02E10.2160p.ATVP.WEB-DL.mkv", _episode("Severance", 2, 10, "2160p")),
    (T, "Mr. Robot/Season 1/Mr. Robot S01E01.mkv", _episode("Mr. Robot", 1, 1)),
    (T, "Seinfeld/Season 09/Seinfeld S09E23-E24.mkv", _episode("Seinfeld", 9, 23)),
    (T, "Dark.S01E01.GERMAN.1080p.NF.WEB-DL.mkv", _episode("Dark", 1, 1, "1080p")),
    (T, "The Expanse/The.Expanse.S06E06.720p.mkv", _episode("The Expanse", 6, 6, "720p")),
    (T, "House of Cards (1990)/s01e02.mkv", _episode("House of Cards", 1, 2)),
    (T, "Fawlty Towers/Series 2/03 - Waldorf Salad.avi", _episode("Fawlty Towers", 2, 3)),
    (
        T,
        "Better Call Saul/Season 6/Better.Call.Saul.S06E13.REPACK.mkv",
        _episode("Better Call Saul", 6, 13),
    ),
    (T, "The Simpsons/Season 33/The Simpsons - S33E22.mkv", _episode("The Simpsons", 33, 22)),
    (
        T,
        "Cosmos.A.Spacetime.Odyssey.S01E05.1080p.mkv",
        _episode("Cosmos A Spacetime Odyssey", 1, 5, "1080p"),
    ),
    (T, "1923/Season 1/1923.S01E01.mkv", _episode("1923", 1, 1)),
    (T, "Firefly/Firefly Season 1 Episode 4.mkv", _episode("Firefly", 1, 4)),
    (T, "Archer.2009.S04E07.720p.mkv", _episode("Archer", 4, 7, "720p")),
    (T, "Taskmaster/S14/Taskmaster.S14E10.mkv", _episode("Taskmaster", 14, 10)),
    (T, "The Bear/Season 3/The Bear - S03E01v2.mkv", _episode("The Bear", 3, 1)),
    (T, "Black Mirror/S03E04.San.Junipero.1080p.mkv", _episode("Black Mirror", 3, 4, "1080p")),
    # series, Chinese
    (T, "庆余年 第二季/第05集.mp4", _episode("庆余年", 2, 5)),
    (T, "庆余年/第二季/庆余年.S02E05.2024.1080p.WEB-DL.mp4", _episode("庆余年", 2, 5, "1080p")),
    (T, "三体/三体.EP03.2023.4K.mkv", _episode("三体", 1, 3, "2160p")),
    (T, "琅琊榜/琅琊榜 第12集.mkv", _episode("琅琊榜", 1, 12)),
    (T, "甄嬛传/第七十六集.mp4", _episode("甄嬛传", 1, 76)),
    (T, "狂飙.2023.S01E39.1080p.mkv", _episode("狂飙", 1, 39, "1080p")),
    (T, "漫长的季节/Season 1/漫长的季节 - S01E12 - 第 12 集.mkv", _episode("漫长的季节", 1, 12)),
    (T, "人世间/01.mp4", _episode("人世间", 1, 1)),
    (T, "武林外传/第1季/武林外传 E80.mkv", _episode("武林外传", 1, 80)),
    (T, "隐秘的角落/EP07.mkv", _episode("隐秘的角落", 1, 7)),
    (T, "西游记 (1986)/西游记第3集.avi", _episode("西游记", 1, 3)),
    (T, "繁花 (2023)/Season 1/S01E30.2160p.mkv", _episode("繁花", 1, 30, "2160p")),
    (T, "父母爱情/父母爱情.E44.720p.mp4", _episode("父母爱情", 1, 44, "720p")),
    (T, "风骚律师 第六季/S06E01.1080p.mkv", _episode("风骚律师", 6, 1, "1080p")),
    # anime
    (
        A,
        "[Lilith-Raws] One Piece - 1089 [Baha][WEB-DL][1080p][AVC AAC][CHT].mp4",
        _anime("One Piece", None, 1089, "1080p"),
    ),
    (
        A,
        "[SubsPlease] Sousou no Frieren - 12 (1080p) [ABCDEF12].mkv",
        _anime("Sousou no Frieren", None, 12, "1080p"),
    ),
    (
        A,
        "[SubsPlease] Jujutsu Kaisen S2 - 05v2 (720p) [01234567].mkv",
        _anime("Jujutsu Kaisen", 2, 5, "720p"),
    ),
    (
        A,
        "[Nekomoe kissaten][Bocchi the Rock!][08][1080p][CHS].mp4",
        _anime("Bocchi the Rock!", None, 8, "1080p"),
    ),
    (A, "[桜都字幕组] 葬送的芙莉莲 [28][1080p][简体内嵌].mp4", _anime("葬送的芙莉莲", None, 28, "1080p")),
    (A, "【喵萌奶茶】★10月新番★[孤独摇滚！][01][1080p][简体].mp4", _anime("孤独摇滚！", None, 1, "1080p")),
    (
        A,
        "[VCB-Studio] Steins;Gate [01][Ma10p_1080p][x265_flac].mkv",
        _anime("Steins;Gate", None, 1, "1080p"),
    ),
    (A, "Frieren/[Sub] Sousou no Frieren - 03 [1080p].mkv", _anime("Frieren", None, 3, "1080p")),
    (A, "Attack on Titan/Season 3/Attack on Titan - S03E12.mkv", _anime("Attack on Titan", 3, 12)),
    (A, "Cowboy Bebop/Cowboy Bebop - 05 - Ballad of Fallen Angels.mkv", _anime("Cowboy Bebop", None, 5)),
    (
        A,
        "[Erai-raws] Mob Psycho 100 III - 12 END [720p].mkv",
        _anime("Mob Psycho 100 III", None, 12, "720p"),
    ),
    (A, "[HorribleSubs] Mob Psycho 100 - 01 [480p].mkv", _anime("Mob Psycho 100", None, 1, "480p")),
    (A, "进击的巨人/第三季/第12话.mp4", _anime("进击的巨人", 3, 12)),
    (A, "鬼灭之刃/鬼灭之刃 第01集.mp4", _anime("鬼灭之刃", None, 1)),
    (
        A,
        "[VCB-Studio] Fate Zero [Ma10p_1080p]/[VCB-Studio] Fate Zero [13][Ma10p_1080p][x265_flac].mkv",
        _anime("Fate Zero", None, 13, "1080p"),
    ),
    (A, "[Judas] Vinland Saga - S02E03.mkv", _anime("Vinland Saga", 2, 3)),
    (A, "Neon Genesis Evangelion/01.mkv", _anime("Neon Genesis Evangelion", None, 1)),
    (
        A,
        "[Commie] Your Lie in April - 22 [BD 1080p AAC] [AAAABBBB].mkv",
        _anime("Your Lie in April", None, 22, "1080p"),
    ),
    (A, "[DMG][Kimi no Na wa][BDRip][1080P].mkv", _anime("Kimi no Na wa", None, None, "1080p")),
    (
        A,
        "[LoliHouse] Oshi no Ko 2nd Season - 04 [WebRip 1080p HEVC-10bit AAC].mkv",
        _anime("Oshi no Ko", 2, 4, "1080p"),
    ),
    (
        A,
        "[Sakurato] Spy x Family [25][AVC-8bit 1080p AAC][CHS].mp4",
        _anime("Spy x Family", None, 25, "1080p"),
    ),
    (
        A,
        "[ANi] 我推的孩子 - 11 [1080P][Baha][WEB-DL][AAC AVC][CHT].mp4",
        _anime("我推的孩子", None, 11, "1080p"),
    ),
    (A, "[ANi] 鬼滅之刃 第四季 - 03 [1080P][Baha].mp4", _anime("鬼滅之刃", 4, 3, "1080p")),
    (
        A,
        "[GM-Team][国漫][斗破苍穹 第5季][Fights Break Sphere V][2022][77][AVC][GB][1080P].mp4",
        _anime("斗破苍穹", 5, 77, "1080p"),
    ),
    (A, "[DBD-Raws][Clannad][05][1080P][BDRip][HEVC-10bit][FLAC].mkv", _anime("Clannad", None, 5, "1080p")),
    (
        A,
        "名侦探柯南/[银色子弹字幕组][名侦探柯南][第1100集][简日双语MP4][1080P].mp4",
        _anime("名侦探柯南", None, 1100, "1080p"),
    ),
    (A, "86/[SubsPlease] 86 - Eighty Six - 07 (1080p).mkv", _anime("86", None, 7, "1080p")),
    (A, "[Moozzi2] Hyouka - 11.5 (BD 1920x1080 x.264 Flac).mkv", _anime("Hyouka", None, 11, "1080p")),
    (
        A,
        "Spirited Away (2001)/Spirited Away (2001) 1080p.mkv",
        _anime("Spirited Away", None, None, "1080p"),
    ),
    (
        A,
        "[Group] Title_With_Underscores_-_07_[720p].mkv",
        _anime("Title With Underscores", None, 7, "720p"),
    ),
    (
        A,
        "[SweetSub][Assassination Classroom][04][BDRip][1080P].mkv",
        _anime("Assassination Classroom", None, 4, "1080p"),
    ),
    (
        A,
        "[Airota][Heavenly Delusion][03][1080p AVC AAC][CHS].mp4",
        _anime("Heavenly Delusion", None, 3, "1080p"),
    ),
    (
        A,
        "[KTXP][Tengen Toppa Gurren Lagann][27][GB][720p].mp4",
        _anime("Tengen Toppa Gurren Lagann", None, 27, "720p"),
    ),
    (
        A,
        "[Kamigami] Psycho-Pass - 11 [1280x720 x264 AAC Sub(Ch,Jap)].mkv",
        _anime("Psycho-Pass", None, 11, "720p"),
    ),
    (A, "[UHA-WINGS][Made in Abyss S2][05][x264 1080p].mp4", _anime("Made in Abyss", 2, 5, "1080p")),
    # music
    (S, "周杰伦/七里香/01 - 我的地盘.flac", _track("周杰伦", "七里香", "我的地盘")),
    (S, "周杰伦/2004 - 七里香/02. 七里香.mp3", _track("周杰伦", "七里香", "七里香")),
    (
        S,
        "Pink Floyd/The Wall (1979)/CD1/05 - Another Brick in the Wall.flac",
        _track("Pink Floyd", "The Wall", "Another Brick in the Wall"),
    ),
    (
        S,
        "Radiohead - OK Computer/03 Subterranean Homesick Alien.mp3",
        _track("Radiohead", "OK Computer", "Subterranean Homesick Alien"),
    ),
    (S, "Adele/25/01 Hello.m4a", _track("Adele", "25", "Hello")),
    (S, "Queen - Bohemian Rhapsody.mp3", _track("Queen", None, "Bohemian Rhapsody")),
    (S, "Björk/Homogenic/1-03 - Unravel.flac", _track("Björk", "Homogenic", "Unravel")),
    (S, "王菲/红豆.mp3", _track("王菲", None, "红豆")),
    (
        S,
        "Miles Davis/Kind of Blue [FLAC]/01 So What.flac",
        _track("Miles Davis", "Kind of Blue", "So What"),
    ),
    (
        S,
        "Rock/Nirvana/Nevermind/01 - Smells Like Teen Spirit.ogg",
        _track("Nirvana", "Nevermind", "Smells Like Teen Spirit"),
    ),
    (
        S,
        "Various Artists/Pulp Fiction/02 - Dick Dale - Misirlou.mp3",
        _track("Various Artists", "Pulp Fiction", "Misirlou"),
    ),
    (S, "The Beatles/1/Love Me Do.wav", _track("The Beatles", "1", "Love Me Do")),
    (S, "陈奕迅/陈奕迅 - U87/03.浮夸.ape", _track("陈奕迅", "U87", "浮夸")),
    (S, "Playlists/Morning.m3u8", {"kind": "playlist", "title": "Morning"}),
    (S, "轻音乐.m3u", {"kind": "playlist", "title": "轻音乐"}),
    (
        S,
        "Daft Punk/Discovery (2001)/Disc 1/04 Harder, Better, Faster, Stronger.flac",
        _track("Daft Punk", "Discovery", "Harder, Better, Faster, Stronger"),
    ),
]
