"""Made listings: every organisation's name says 示例, every sample is generated and declared synthetic.

A row of TABLES is one listing in short; `listing` turns it into a listing document. `depth` says how much of the
documentation is written: 0 nothing, 1 basic information, 2 and content, 3 and construction, 4 and application.
"""

from dataclasses import dataclass

GB, TB = 10**9, 10**12


@dataclass(frozen=True)
class Made:
    title: str
    organization: str
    kind: str
    region: str
    sector: str
    industry: str
    modality: str
    stage: str
    tier: str
    layer: str
    records: int
    size: int
    scenario: str
    labels: str  # "name:count name:count", empty where unlabelled
    depth: int
    sample: str = ""
    openness: str = "conditional"
    license: str = "commercial_authorization"
    frequency: str = "monthly"
    method: str = "sensor"
    state: str = "listed"
    downloads: int = 0
    updated: str = "2026-10-20"
    synthetic: bool = False
    level: str = "general"


ZHEJIANG = [
    Made("高速公路路面病害巡检图像", "示例交通科技（杭州）", "enterprise", "330000", "transport", "G", "image", "finetune", "industry_expert",
         "scene_understanding", 128_000, 640 * GB, "路面病害识别", "横向裂缝:42000 纵向裂缝:38000 坑槽:21000 修补:27000", 4, "road", downloads=212, updated="2026-11-12"),
    Made("港口集装箱箱号识别图像", "示例港航数据（宁波）", "enterprise", "330000", "transport", "G", "image", "finetune", "industry_expert",
         "scene_understanding", 86_000, 210 * GB, "闸口箱号识别", "箱号:86000", 3, "road", downloads=64, updated="2026-09-30"),
    Made("注塑机工艺参数时序", "示例智造（台州）", "enterprise", "330000", "manufacturing", "C", "iot", "finetune", "industry_expert",
         "basic_cognition", 42_000_000, 96 * GB, "工艺异常预警", "正常:41200000 短射:420000 飞边:380000", 4, "meter", downloads=97, updated="2026-11-18", frequency="daily"),
    Made("纺织面料表面疵点图像", "示例纺织研究院（绍兴）", "research_institute", "330000", "manufacturing", "C", "image", "finetune", "industry_expert",
         "scene_understanding", 61_500, 148 * GB, "疵点检测", "破洞:8200 断经:15300 断纬:14800 油污:23200", 3, "road", downloads=151, updated="2026-08-15"),
    Made("小微企业经营问答对", "示例金融数据（温州）", "enterprise", "330000", "finance", "J", "text", "finetune", "industry_general",
         "scene_understanding", 320_000, 2 * GB, "授信问答", "经营:120000 纳税:90000 用工:110000", 4, "dialogue", downloads=188, updated="2026-11-02"),
    Made("方言语音与普通话对照语料", "示例语音技术（杭州）", "enterprise", "330000", "culture-tourism", "R", "audio", "pretrain", "general",
         "basic_cognition", 210_000, 380 * GB, "方言识别", "", 2, "dialogue", downloads=43, updated="2026-05-22", frequency="quarterly"),
    Made("茶园无人机多光谱影像", "示例农业大数据中心（丽水）", "authority", "330000", "agriculture", "A", "image", "finetune", "industry_general",
         "scene_understanding", 18_400, 920 * GB, "长势评估", "旺盛:7400 一般:8200 偏弱:2800", 3, "meter", openness="open", license="public_authorization",
         downloads=76, updated="2026-10-08", frequency="half_yearly"),
    Made("城市内涝积水点监测数据", "示例城市运行中心（嘉兴）", "authority", "330000", "urban-governance", "S", "iot", "finetune", "industry_general",
         "basic_cognition", 9_600_000, 14 * GB, "积水预警", "", 2, "meter", openness="open", license="public_authorization", downloads=59, updated="2026-11-20", frequency="realtime"),
    Made("低空物流航迹与气象对照", "示例低空经济公司（湖州）", "enterprise", "330000", "low-altitude", "G", "iot", "finetune", "industry_expert",
         "action_planning", 2_300_000, 33 * GB, "航线规划", "可飞:1900000 慎飞:310000 禁飞:90000", 3, "meter", downloads=35, updated="2026-10-29", frequency="weekly"),
    Made("近海养殖水质与病害记录", "示例海洋研究所（舟山）", "research_institute", "330000", "smart-ocean", "A", "tabular", "finetune", "industry_expert",
         "basic_cognition", 740_000, 3 * GB, "病害预警", "健康:690000 弧菌:31000 缺氧:19000", 1, "dirty", downloads=12, updated="2024-06-30", frequency="annual"),
    Made("合成工业缺陷极端样本", "示例智造（台州）", "enterprise", "330000", "manufacturing", "C", "image", "finetune", "industry_expert",
         "scene_understanding", 100_000, 260 * GB, "缺陷检测", "裂纹:40000 缺料:30000 变形:30000", 4, "road", method="generated", synthetic=True, downloads=118, updated="2026-09-11"),
    Made("社区养老服务对话", "示例民政服务（金华）", "data_service", "330000", "healthcare", "Q", "text", "finetune", "industry_general",
         "scene_understanding", 54_000, GB, "服务咨询", "", 2, "dialogue", state="submitted"),
    Made("旅游景区客流时序", "示例文旅数据（杭州）", "enterprise", "330000", "culture-tourism", "R", "tabular", "finetune", "industry_general",
         "basic_cognition", 1_200_000, 2 * GB, "客流预测", "", 3, "meter", state="in_review"),
    Made("外卖骑手路径规划轨迹", "示例出行科技（杭州）", "enterprise", "330000", "transport", "G", "iot", "finetune", "industry_expert",
         "action_planning", 8_800_000, 120 * GB, "路径规划", "", 2, "meter", state="returned"),
    Made("电商评价情感标注", "示例电商数据（义乌）", "enterprise", "330000", "commerce", "F", "text", "finetune", "industry_general",
         "basic_cognition", 900_000, 4 * GB, "情感分析", "好评:610000 中评:170000 差评:120000", 3, "dialogue", state="rejected"),
    Made("电力负荷预测基准集", "示例能源研究院（杭州）", "research_institute", "330000", "smart-energy", "D", "tabular", "eval", "industry_general",
         "basic_cognition", 480_000, 6 * GB, "负荷预测评测", "", 4, "meter", state="public_notice", openness="open", license="open_source"),
    Made("光伏组件红外热斑图像", "示例能源研究院（杭州）", "research_institute", "330000", "smart-energy", "D", "image", "finetune", "industry_expert",
         "scene_understanding", 37_000, 88 * GB, "热斑检测", "热斑:12000 遮挡:9000 正常:16000", 3, "road", state="revision", downloads=41, updated="2026-07-19"),
    Made("公交客流刷卡记录（旧版）", "示例出行科技（杭州）", "enterprise", "330000", "transport", "G", "tabular", "finetune", "industry_general",
         "basic_cognition", 30_000_000, 18 * GB, "客流预测", "", 2, "meter", state="delisted", updated="2023-12-31"),
    Made("工地安全帽佩戴图像", "示例建筑科技（宁波）", "enterprise", "330000", "manufacturing", "E", "image", "finetune", "industry_general",
         "scene_understanding", 45_000, 70 * GB, "安全巡检", "佩戴:31000 未佩戴:14000", 2, "road", state="suspended"),
    Made("骨科康复动作捕捉（在写）", "示例智造（台州）", "enterprise", "330000", "healthcare", "Q", "video", "finetune", "industry_expert",
         "action_planning", 5_200, 300 * GB, "康复评估", "", 1, state="draft"),
]  # fmt: skip

HEALTHCARE = [
    Made("胸部影像与报告配对问答", "示例医学影像中心（北京）", "research_institute", "110000", "healthcare", "Q", "image", "finetune", "industry_expert",
         "scene_understanding", 96_000, 2 * TB, "影像问答", "肺炎:18000 结节:22000 正常:56000", 4, "dialogue", downloads=143, updated="2026-11-05"),
    Made("眼底影像分级标注", "示例眼科联盟（上海）", "industry_association", "310000", "healthcare", "Q", "image", "finetune", "industry_expert",
         "scene_understanding", 48_000, 310 * GB, "糖网筛查", "无:21000 轻度:9000 中度:11000 重度:7000", 4, "road", downloads=260, updated="2026-10-15"),
    Made("中医舌象图像与辨证标注", "示例中医药研究院（成都）", "research_institute", "510000", "healthcare", "Q", "image", "finetune", "industry_expert",
         "scene_understanding", 15_600, 45 * GB, "辨证辅助", "淡红:6200 红:5100 紫暗:4300", 3, "road", downloads=88, updated="2026-06-30", frequency="quarterly"),
    Made("电子病历结构化抽取语料", "示例医疗信息（武汉）", "enterprise", "420000", "healthcare", "Q", "text", "finetune", "industry_expert",
         "scene_understanding", 72_000, 3 * GB, "病历结构化", "诊断:30000 用药:24000 检查:18000", 4, "dialogue", downloads=175, updated="2026-11-01"),
    Made("心电长程监测片段", "示例心血管中心（西安）", "research_institute", "610000", "healthcare", "Q", "iot", "finetune", "industry_expert",
         "basic_cognition", 260_000, 540 * GB, "心律失常识别", "窦性:180000 房颤:52000 早搏:28000", 3, "meter", downloads=97, updated="2026-09-20"),
    Made("用药安全问答评测集", "示例药学会（广州）", "industry_association", "440000", "healthcare", "Q", "text", "eval", "industry_expert",
         "scene_understanding", 8_200, 200_000_000, "用药问答评测", "", 3, "dialogue", openness="open", license="open_source", downloads=302, updated="2026-10-31"),
    Made("社区慢病随访表", "示例公共卫生中心（长沙）", "authority", "430000", "healthcare", "Q", "tabular", "finetune", "industry_general",
         "basic_cognition", 1_900_000, 5 * GB, "随访提醒", "", 1, "dirty", openness="open", license="public_authorization", downloads=21, updated="2025-01-31", frequency="annual"),
    Made("手术视频关键步骤标注", "示例外科培训中心（沈阳）", "university", "210000", "healthcare", "Q", "video", "finetune", "industry_expert",
         "action_planning", 3_400, 6 * TB, "手术培训", "", 2, "", state="in_review"),
]  # fmt: skip

# Registered at the national portal on behalf of regions that have no portal yet.
NATIONAL = [
    Made("水稻冠层高光谱", "示例农科院（武汉）", "research_institute", "420000", "agriculture", "A", "image", "finetune", "industry_expert",
         "scene_understanding", 26_000, 1400 * GB, "长势诊断", "分蘖:9000 拔节:8000 抽穗:9000", 4, "meter", downloads=71, updated="2026-10-11"),
    Made("风电机组振动与功率时序", "示例新能源（呼和浩特）", "enterprise", "150000", "smart-energy", "D", "iot", "finetune", "industry_expert",
         "basic_cognition", 680_000_000, 3 * TB, "故障预警", "正常:660000000 轴承:12000000 齿轮:8000000", 4, "meter", downloads=133, updated="2026-11-15", frequency="daily"),
    Made("轨道扣件缺失检测图像", "示例轨道交通（成都）", "central_enterprise", "510000", "transport", "G", "image", "finetune", "industry_expert",
         "scene_understanding", 74_000, 190 * GB, "线路巡检", "完好:61000 缺失:13000", 3, "road", downloads=82, updated="2026-08-28"),
    Made("企业信用公告抽取语料", "示例信用科技（广州）", "enterprise", "440000", "finance", "J", "text", "finetune", "industry_general",
         "scene_understanding", 510_000, 7 * GB, "信息抽取", "处罚:160000 许可:240000 异常:110000", 4, "dialogue", downloads=146, updated="2026-11-08"),
    Made("煤矿井下视频违章行为", "示例矿山安全（太原）", "central_enterprise", "140000", "emergency", "B", "video", "finetune", "industry_expert",
         "scene_understanding", 12_800, 8 * TB, "违章识别", "未戴帽:5200 越界:4100 吸烟:3500", 3, "", downloads=24, updated="2026-07-30"),
    Made("台风路径与沿海潮位", "示例气象科学院（厦门）", "research_institute", "350000", "meteorology", "M", "tabular", "finetune", "industry_general",
         "basic_cognition", 3_100_000, 9 * GB, "风暴潮预报", "", 3, "meter", openness="open", license="public_authorization", downloads=208, updated="2026-11-19", frequency="daily"),
    Made("智能驾驶雨雪场景点云", "示例汽车研究院（长春）", "central_enterprise", "220000", "intelligent-driving", "C", "multimodal", "finetune", "industry_expert",
         "scene_understanding", 39_000, 22 * TB, "感知训练", "雨:17000 雪:14000 雾:8000", 3, "road", downloads=167, updated="2026-09-25"),
    Made("酶催化反应文献抽取", "示例合成生物（天津）", "enterprise", "120000", "biomanufacturing", "C", "text", "pretrain", "industry_expert",
         "basic_cognition", 420_000, 5 * GB, "反应预测", "", 2, "dialogue", downloads=37, updated="2026-03-14", frequency="half_yearly"),
    Made("初中数学解题思维链", "示例教育科技（合肥）", "enterprise", "340000", "education", "P", "text", "finetune", "industry_general",
         "action_planning", 150_000, GB, "解题辅导", "代数:70000 几何:50000 统计:30000", 4, "dialogue", downloads=394, updated="2026-10-27"),
    Made("黄河流域水文站日报", "示例水文中心（郑州）", "authority", "410000", "green-low-carbon", "N", "tabular", "finetune", "industry_general",
         "basic_cognition", 5_800_000, 2 * GB, "径流预测", "", 3, "meter", openness="open", license="public_authorization", downloads=119, updated="2026-11-20", frequency="daily"),
    Made("东北方言客服录音转写", "示例呼叫中心（哈尔滨）", "data_service", "230000", "commerce", "I", "audio", "finetune", "industry_general",
         "basic_cognition", 64_000, 90 * GB, "客服质检", "", 1, "dirty", downloads=15, updated="2024-11-30", frequency="irregular"),
    Made("贵州山地遥感地灾隐患", "示例地质大数据（贵阳）", "authority", "520000", "emergency", "M", "image", "finetune", "industry_expert",
         "scene_understanding", 9_700, 760 * GB, "隐患识别", "滑坡:4100 崩塌:3300 泥石流:2300", 3, "road", openness="conditional", license="public_authorization",
         downloads=53, updated="2026-06-18", frequency="quarterly"),
    Made("双臂机器人整理操作轨迹", "示例机器人创新中心（苏州）", "enterprise", "320000", "embodied-ai", "C", "multimodal", "finetune", "industry_expert",
         "action_planning", 88_000, 4 * TB, "家务整理", "抓取:41000 放置:32000 折叠:15000", 4, "meter", downloads=226, updated="2026-11-16", frequency="weekly"),
    Made("海岛航拍岸线变化", "示例海洋监测（青岛）", "research_institute", "370000", "smart-ocean", "M", "image", "finetune", "industry_general",
         "scene_understanding", 14_300, 520 * GB, "岸线提取", "", 2, "road", downloads=29, updated="2026-04-22", frequency="half_yearly"),
    Made("热带作物病虫害图谱", "示例热带农业（海口）", "university", "460000", "agriculture", "A", "image", "finetune", "industry_general",
         "scene_understanding", 33_000, 66 * GB, "病虫害识别", "橡胶:12000 椰子:9000 芒果:12000", 3, "road", openness="open", license="open_source", downloads=94, updated="2026-08-06"),
    Made("工业软件操作说明语料", "示例工业软件（沈阳）", "enterprise", "210000", "manufacturing", "I", "text", "pretrain", "industry_general",
         "basic_cognition", 270_000, 3 * GB, "操作问答", "", 2, "dialogue", downloads=18, updated="2026-02-10", frequency="irregular"),
    Made("城市街景井盖与路面设施", "示例城市治理（深圳）", "authority", "440000", "urban-governance", "S", "image", "finetune", "industry_general",
         "scene_understanding", 58_000, 130 * GB, "设施普查", "井盖:26000 护栏:19000 标线:13000", 3, "road", openness="open", license="public_authorization", downloads=103, updated="2026-10-02"),
    Made("高原冻土监测时序", "示例生态研究所（西宁）", "research_institute", "630000", "green-low-carbon", "M", "iot", "finetune", "industry_expert",
         "basic_cognition", 4_600_000, 8 * GB, "冻土退化评估", "", 2, "meter", downloads=22, updated="2025-12-31", frequency="annual"),
    Made("跨境贸易单证多语文本", "示例口岸数据（昆明）", "data_service", "530000", "commerce", "F", "text", "finetune", "industry_general",
         "scene_understanding", 190_000, 2 * GB, "单证翻译", "", 3, "dialogue", downloads=47, updated="2026-05-09"),
    Made("城市燃气管网压力时序", "示例燃气集团（重庆）", "enterprise", "500000", "smart-energy", "D", "iot", "finetune", "industry_expert",
         "basic_cognition", 77_000_000, 60 * GB, "泄漏预警", "正常:76400000 异常:600000", 3, "meter", state="in_review", level="important"),
]  # fmt: skip

NAMES = {"image": "图像", "text": "文本", "audio": "音频", "video": "视频", "iot": "时序", "tabular": "表格", "multimodal": "多模态"}
FILES = {
    "image": ("JPEG", "image/jpeg", "images.tar"),
    "text": ("JSONL", "application/jsonl", "records.jsonl"),
    "audio": ("FLAC", "audio/flac", "audio.tar"),
    "video": ("MP4", "video/mp4", "video.tar"),
    "iot": ("Parquet", "application/vnd.apache.parquet", "series.parquet"),
    "tabular": ("CSV", "text/csv", "table.csv"),
    "multimodal": ("Parquet", "application/vnd.apache.parquet", "episodes.parquet"),
}


def label_rows(made: Made) -> list[dict]:
    return [{"name": name, "count": int(count)} for name, count in (part.split(":") for part in made.labels.split())]


def listing(made: Made) -> dict:
    """The listing document of a made listing."""
    kind = NAMES[made.modality]
    form, media, filename = FILES[made.modality]
    return {
        "title": f"{made.title}（示例）",
        "summary": f"面向{made.scenario}的{kind}数据，{made.records:,} 条记录；由{made.organization}编写，供演示使用。",
        "description": f"## 用途\n\n用来训练和检验**{made.scenario}**模型。\n\n## 说明\n\n本条是演示内容，机构与数值都是虚构的；样例由程序生成，已声明为合成数据。",
        "keywords": [made.scenario, made.title.split("（")[0], "示例"],
        "sectors": [made.sector],
        "industry": made.industry,
        "region": made.region,
        "modalities": [made.modality],
        "model_stages": [made.stage],
        "knowledge_tier": made.tier,
        "cognition_layer": made.layer,
        "has_chain_of_thought": "思维链" in made.title,
        "tasks": [made.scenario],
        "languages": ["zh"],
        "scenarios": [made.scenario],
        "build_mode": "scenario_driven" if made.layer != "basic_cognition" else "data_driven",
        "record_count": made.records,
        "byte_size": made.size,
        "file_count": max(1, made.size // (4 * GB)),
        "source_types": ["self_collected"],
        "collection_method": made.method,
        "collection_channel": "自有设备与业务系统",
        "resource_kind": "internal_structured" if made.modality in ("tabular", "iot") else "internal_unstructured",
        "temporal_start": "2023-01-01",
        "temporal_end": made.updated,
        "modified": made.updated,
        "issued": "2024-03-01" if made.updated >= "2024-03-01" else made.updated,
        "is_synthetic": made.synthetic,
        "synthetic_method": "参数化渲染叠加缺陷纹理" if made.synthetic else "",
        "annotation_method": "semi_automatic" if made.labels else "",
        "annotator_type": "professional" if made.labels else "",
        "rights_holder": made.organization,
        "rights_basis": "自行采集或受托处理，留有合同与采集记录。",
        "rights_evidence": "登记附件 1（示例）",
        "has_holding_right": True,
        "has_processing_right": True,
        "has_operating_right": made.license == "commercial_authorization",
        "license_type": made.license,
        "allowed_scenarios": f"{made.scenario}及相近的研究",
        "allowed_scope": "不得转让，不得用于识别个人。",
        "security_level": made.level,
        "openness": made.openness,
        "access_method": {"open": "open", "conditional": "apply", "closed": "authorized_operation"}[made.openness],
        "update_frequency": made.frequency,
        "storage_place": "提供方数据中心",
        "contact_name": "数据管理岗",
        "contact_email": "data@example.org",
        "price_model": "面议" if made.license == "commercial_authorization" else "免费",
        "is_example": True,
        "citation": "演示内容，非真实记录。",
        "documentation": documentation(made),
        "resources": [
            {
                "name": filename,
                "kind": "file",
                "format": form,
                "media_type": media,
                "byte_size": made.size,
                "description": f"全量{kind}数据，按申请提供",
            }
        ],
    }


def documentation(made: Made) -> dict:
    """The 20 items, as far as `depth` goes."""
    kind, labels = NAMES[made.modality], label_rows(made)
    form = FILES[made.modality][0]
    total = sum(row["count"] for row in labels) or 1
    shares = [{"name": row["name"], "share": f"{100 * row['count'] / total:.1f}"} for row in labels]
    basic = {
        "scale": {"text": f"{made.records:,} 条，{made.size / GB:,.0f} GB。"},
        "format_spec": {"text": f"{form}，文字一律 UTF-8。"},
        "file_structure": {"text": "按采集月份分目录，每目录一个清单文件 manifest.csv。"},
        "access_channel": {"text": "在本页下载样例；全量数据提交使用申请，5 个工作日内答复。"},
        "technical_support": {"text": "data@example.org，工作日 9 时至 17 时。"},
    }
    content = {
        "modality": {"text": f"{kind}。"},
        "distribution_note": {"text": "按类别和采集地点统计，见附表。", "parts": shares},
        "label_statistics": {"text": f"{len(labels)} 个类别。", "labels": labels},
        "sample_examples": {"text": "样例文件给出 200 条以上记录。"},
        "limitations": {
            "text": f"采集地点集中在少数几处，恶劣天气和罕见情形偏少；{made.scenario}以外的任务没有验证过，直接用于其他地区前应先作小样本检验，并检查类别分布是否相近。"
        },
    }
    construction = {
        "data_source": {"text": "自有设备采集。", "sources": [{"type": "self_collected", "name": "业务系统", "authorization": "合同附件"}]},
        "collection_method": {"text": "固定设备定时采集，异常时加密采样。"},
        "processing_flow": {
            "text": "去重、脱敏、切分、复核四步。",
            "steps": [
                {"name": "去重", "tool": "感知哈希", "date": "2026-03-01"},
                {"name": "脱敏", "tool": "规则加人工", "date": "2026-03-10"},
                {"name": "复核", "tool": "抽检 5%", "date": "2026-04-02"},
            ],
        },
        "annotation_rules": {"text": "两人独立标注，不一致时由第三人裁定；规范第 3 版随样例提供。"},
        "version_control": {"text": "语义化版本，旧版保留两年。", "changes": [{"version": "1.0.0", "date": "2026-04-10", "note": "首次发布"}]},
    }
    application = {
        "licence": {"text": "见许可字段；样例可用于研究和评估。"},
        "target_scenarios": {"text": made.scenario + "。"},
        "evaluation_method": {"text": "按采集地点留出 10% 作测试，报告 F1 与召回率。"},
        "benchmark_results": {
            "text": "基线模型在留出集上的结果（示例值）。",
            "results": [{"model": "示例基线", "metric": "F1", "value": "0.81", "split": "test", "date": "2026-05-06"}],
        },
        "typical_cases": {"text": "示例单位试用。", "cases": [{"organization": "示例单位", "model": "示例模型", "effect": "召回率提高 3 个百分点"}]},
    }
    parts = [basic, content, construction, application][: made.depth]
    return {name: value for part in parts for name, value in part.items()}
