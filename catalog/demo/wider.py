"""Made listings that widen the map: more provinces, more cells of the matrix, thinner documentation. Same rules as in `invented`."""

from catalog.demo.invented import GB, TB, Made

# Registered at the national portal on behalf of regions that have no portal yet.
NATIONAL = [
    Made("棉田虫情测报灯图像", "示例农业技术推广站（乌鲁木齐）", "authority", "650000", "agriculture", "A", "image", "finetune", "industry_expert",
         "scene_understanding", 41_000, 96 * GB, "虫情测报", "棉铃虫:18000 盲蝽:12000 蚜虫:11000", 2, "road", openness="open", license="public_authorization",
         downloads=38, updated="2026-09-12", frequency="monthly"),
    Made("戈壁光伏电站发电曲线", "示例新能源（兰州）", "enterprise", "620000", "smart-energy", "D", "iot", "finetune", "industry_expert",
         "basic_cognition", 21_000_000, 44 * GB, "功率预测", "", 1, "", downloads=27, updated="2026-11-04", frequency="daily"),
    Made("枸杞分选品相图像", "示例农产品检测中心（银川）", "research_institute", "640000", "agriculture", "A", "image", "finetune", "industry_expert",
         "scene_understanding", 23_500, 31 * GB, "品相分级", "特优:6200 特级:9100 甲级:8200", 2, "road", downloads=16, updated="2026-08-20", frequency="annual"),
    Made("高炉炉况监测时序", "示例钢铁集团（唐山）", "central_enterprise", "130000", "manufacturing", "C", "iot", "finetune", "industry_expert",
         "basic_cognition", 98_000_000, 180 * GB, "炉况预警", "顺行:96000000 波动:2000000", 3, "meter", downloads=64, updated="2026-11-10", frequency="daily"),
    Made("汽车焊点超声检测信号", "示例汽车工艺（重庆）", "enterprise", "500000", "manufacturing", "C", "iot", "finetune", "industry_expert",
         "basic_cognition", 1_700_000, 12 * GB, "焊点质检", "合格:1600000 虚焊:70000 飞溅:30000", 3, "meter", downloads=52, updated="2026-10-30"),
    Made("山城步道视频巡检", "示例城市管理（重庆）", "authority", "500000", "urban-governance", "S", "video", "finetune", "industry_general",
         "scene_understanding", 6_900, TB, "设施巡检", "", 0, "", openness="open", license="public_authorization", downloads=5, updated="2025-09-30", frequency="irregular"),
    Made("甘蔗长势遥感与测产", "示例农业科学院（南宁）", "research_institute", "450000", "agriculture", "A", "image", "finetune", "industry_general",
         "scene_understanding", 12_200, 210 * GB, "测产", "宿根蔗:7100 新植蔗:5100", 2, "road", downloads=31, updated="2026-07-15", frequency="half_yearly"),
    Made("中药材饮片显微图像", "示例药检所（南昌）", "authority", "360000", "healthcare", "Q", "image", "finetune", "industry_expert",
         "scene_understanding", 19_800, 40 * GB, "饮片鉴别", "根类:8200 果实类:6100 花叶类:5500", 3, "road", openness="open", license="open_source",
         downloads=72, updated="2026-09-02", frequency="quarterly"),
    Made("高原牧区藏汉双语问答", "示例民族语言研究所（拉萨）", "research_institute", "540000", "education", "M", "text", "finetune", "industry_general",
         "scene_understanding", 47_000, 800_000_000, "双语问答", "", 2, "dialogue", openness="open", license="open_source", downloads=83, updated="2026-10-18", frequency="quarterly"),
    Made("工业机器人关节故障音频", "示例机器人研究院（深圳）", "enterprise", "440000", "manufacturing", "C", "audio", "finetune", "industry_expert",
         "basic_cognition", 36_000, 58 * GB, "故障诊断", "正常:24000 磨损:7000 松动:5000", 3, "meter", downloads=61, updated="2026-11-09"),
    Made("无人机低空巡线视频", "示例低空科技（广州）", "enterprise", "440000", "low-altitude", "G", "video", "finetune", "industry_expert",
         "scene_understanding", 8_400, 3 * TB, "线路巡检", "", 1, "", downloads=19, updated="2026-10-05"),
    Made("芯片缺陷电镜图像", "示例集成电路检测（上海）", "enterprise", "310000", "manufacturing", "C", "image", "finetune", "industry_expert",
         "scene_understanding", 52_000, 170 * GB, "缺陷检测", "桥接:21000 断线:17000 残留:14000", 4, "road", downloads=88, updated="2026-11-13"),
    Made("跨境物流问答与工单", "示例航运数据（上海）", "data_service", "310000", "commerce", "G", "text", "finetune", "industry_general",
         "scene_understanding", 230_000, 2 * GB, "客服问答", "清关:90000 提箱:80000 改单:60000", 3, "dialogue", downloads=57, updated="2026-10-22"),
    Made("智能座舱语音指令", "示例车联网（南京）", "enterprise", "320000", "intelligent-driving", "C", "audio", "finetune", "industry_expert",
         "action_planning", 140_000, 76 * GB, "指令理解", "导航:52000 空调:48000 娱乐:40000", 3, "dialogue", downloads=49, updated="2026-11-01"),
    Made("蛋白质晶体衍射图样", "示例生命科学中心（合肥）", "university", "340000", "scientific-research", "M", "image", "pretrain", "industry_expert",
         "basic_cognition", 310_000, 5 * TB, "结构解析", "", 2, "", openness="open", license="open_source", downloads=112, updated="2026-08-11", frequency="quarterly"),
    Made("苹果产地价格日报", "示例农产品市场（烟台）", "data_service", "370000", "agriculture", "F", "tabular", "finetune", "industry_general",
         "basic_cognition", 860_000, 300_000_000, "价格预测", "", 2, "meter", openness="open", license="public_authorization", downloads=46, updated="2026-11-20", frequency="daily"),
    Made("化工装置巡检语音记录", "示例化工园区（淄博）", "enterprise", "370000", "emergency", "C", "audio", "finetune", "industry_expert",
         "basic_cognition", 28_000, 22 * GB, "隐患上报", "", 1, "dirty", downloads=8, updated="2025-04-30", frequency="irregular"),
    Made("古籍版刻文字图像", "示例图书馆（北京）", "authority", "110000", "culture-tourism", "R", "image", "finetune", "industry_general",
         "scene_understanding", 170_000, 640 * GB, "古籍识别", "宋体:80000 楷体:60000 其他:30000", 4, "road", openness="open", license="open_source",
         downloads=231, updated="2026-10-12", frequency="quarterly"),
    Made("城市副中心通勤调查表", "示例交通研究院（北京）", "research_institute", "110000", "transport", "G", "tabular", "finetune", "industry_general",
         "basic_cognition", 96_000, 120_000_000, "出行预测", "", 1, "dirty", downloads=11, updated="2025-06-30", frequency="annual"),
    Made("川剧唱腔与身段对照", "示例艺术研究院（成都）", "research_institute", "510000", "culture-tourism", "R", "multimodal", "finetune", "industry_expert",
         "scene_understanding", 4_300, TB, "动作对齐", "", 2, "", downloads=14, updated="2026-05-28", frequency="annual"),
]  # fmt: skip

# Waiting at the Zhejiang portal's review desk, so that the queue has several ages and kinds.
ZHEJIANG = [
    Made("桥梁拉索振动监测", "示例交通科技（杭州）", "enterprise", "330000", "transport", "G", "iot", "finetune", "industry_expert",
         "basic_cognition", 31_000_000, 52 * GB, "索力评估", "正常:30400000 异常:600000", 3, "meter", state="in_review", updated="2026-11-14"),
    Made("注塑件外观缺陷图像", "示例智造（台州）", "enterprise", "330000", "manufacturing", "C", "image", "finetune", "industry_expert",
         "scene_understanding", 26_000, 41 * GB, "外观质检", "缩水:9000 熔接线:8000 气泡:9000", 3, "road", state="submitted", updated="2026-11-15"),
    Made("配电房巡检红外图像", "示例能源研究院（杭州）", "research_institute", "330000", "smart-energy", "D", "image", "finetune", "industry_expert",
         "scene_understanding", 15_200, 26 * GB, "过热识别", "正常:9800 过热:5400", 3, "road", state="submitted", updated="2026-11-17"),
    Made("农村公路养护工单文本", "示例交通科技（杭州）", "enterprise", "330000", "transport", "G", "text", "finetune", "industry_general",
         "scene_understanding", 88_000, GB, "工单分派", "坑槽:31000 边坡:27000 标志:30000", 2, "dialogue", state="submitted", updated="2026-11-18"),
]  # fmt: skip

# (title, scope, content, quality, sector, modality, records, days until the deadline) by the portal's role
DEMANDS = {
    "national": [
        (
            "低空物流航线气象与障碍物数据",
            "长三角与粤港澳航路，一年以上",
            "分钟级风场、能见度与障碍物高程",
            "缺测率不高于 2%",
            "low-altitude",
            "iot",
            1_000_000,
            23,
        ),
        (
            "发酵罐过程参数与菌株序列配对",
            "氨基酸与有机酸发酵，30 批以上",
            "在线参数时序与菌株测序结果",
            "批次可追溯",
            "biomanufacturing",
            "multimodal",
            30_000,
            40,
        ),
        (
            "社区慢病随访对话，用于评估",
            "基层医疗机构，去标识化",
            "医患随访对话与要点标注",
            "两人独立标注，一致率 95%",
            "healthcare",
            "text",
            20_000,
            51,
        ),
    ],
    "local": [
        ("工业园区安全监控异常事件", "化工与机械园区", "视频片段与事件起止标注", "事件覆盖 12 类", "manufacturing", "video", 5_000, 30),
        ("方言政务热线录音转写", "省内五个方言片", "录音、转写与诉求分类", "字错率不高于 8%", "urban-governance", "audio", 40_000, 45),
    ],
    "industry": [
        ("超声影像与病理结果配对", "甲状腺与乳腺，三家以上医院", "影像与病理结论", "去标识化并有伦理审查", "healthcare", "image", 8_000, 35),
    ],
}
