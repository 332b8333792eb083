"""Words that made listings are put together from, the frequent ones first: their use falls off by Zipf's law."""

# What a sector's datasets are about.
SUBJECTS = {
    "scientific-research": (
        "天文观测 材料性能 蛋白质结构 高能物理 化学反应 科研文献 引力波 "
        "晶体结构 光谱分析 基因测序 生态样地 深空探测 数值模拟 实验记录 论文引文"
    ),
    "manufacturing": (
        "设备振动 表面缺陷 注塑工艺 焊缝质量 数控机床 轴承故障 产线节拍 冲压件 "
        "钢材轧制 电子元件 纺织疵点 零件尺寸 装配过程 工业机器人 半导体晶圆 模具磨损"
    ),
    "smart-energy": (
        "电力负荷 光伏发电 风机运行 变电站巡检 储能电池 充电桩 输电线路 "
        "燃气管网 供热管网 核电设备 煤质分析 电能质量 水电调度 氢能制备 用电行为"
    ),
    "transport": (
        "交通事故 道路病害 公交客流 高速公路收费 地铁刷卡 船舶轨迹 停车位 信号灯配时 "
        "车辆识别 航班延误 港口吞吐 货运订单 桥梁监测 隧道巡检 轨道扣件 出租车轨迹"
    ),
    "healthcare": (
        "胸部影像 电子病历 心电图 眼底图像 药品说明 中医舌象 病理切片 医疗问答 "
        "手术视频 慢病随访 护理记录 医保结算 检验报告 康复训练 疫苗接种 体检指标"
    ),
    "education": "作业批改 数学解题 课堂语音 教材图文 考试题库 学情分析 英语作文 实验教学 职业技能 教师备课 图书借阅 学校名录 校车路线 心理测评",
    "finance": (
        "信贷审批 财务报表 保险理赔 反欺诈交易 股票公告 票据影像 客服对话 "
        "企业信用 基金净值 税务申报 供应链金融 合同条款 支付流水 风险评级"
    ),
    "agriculture": (
        "水稻长势 病虫害图像 土壤墒情 农产品价格 畜禽养殖 茶园影像 农机作业 "
        "大棚环境 种子资源 水产养殖 果树识别 农药使用 粮食收购 耕地质量 农业气象"
    ),
    "commerce": "商品评价 电商交易 物流轨迹 商品图像 进出口报关 门店客流 价格监测 退换货记录 直播话术 仓储库存 展会名录 外卖订单 跨境贸易单证",
    "sci-tech-innovation": "专利文本 技术合同 代码仓库 高新企业 科技成果 创新券 孵化器名录 标准文献 开源软件 芯片设计 算法评测 人才画像",
    "culture-tourism": (
        "景区客流 文物图像 方言语音 非遗影像 古籍文字 博物馆藏品 酒店评价 "
        "演出票务 旅游路线 戏曲音频 民族服饰 影视台词 地方志 图书馆借阅"
    ),
    "emergency": "火灾烟雾 地震波形 洪涝淹没 危化品运输 安全生产隐患 矿井监测 应急预案 救援视频 山体滑坡 避难场所 消防接警 森林火险 事故调查",
    "meteorology": "降水观测 台风路径 气温格点 雷达回波 卫星云图 空气质量 雷电定位 能见度 海浪预报 沙尘监测 气候再分析 强对流",
    "urban-governance": (
        "城市部件 市民热线 垃圾分类 内涝积水 违章建筑 井盖状态 社区人口 "
        "路灯能耗 噪声监测 政务问答 城管案件 公共厕所 电梯运行 街景图像 行政许可"
    ),
    "green-low-carbon": "碳排放核算 污水处理 企业能耗 水质监测 固废处置 大气污染源 森林碳汇 环境影响评价 土壤污染 再生资源 绿色建筑 湿地遥感",
    "low-altitude": "无人机航迹 低空气象 起降场地 航拍图像 空域申请 飞行器识别 低空物流 电力巡检航拍",
    "embodied-ai": "机械臂抓取 双足行走 灵巧手操作 室内导航 人机交互 触觉感知 家务整理 遥操作轨迹 动作捕捉",
    "intelligent-driving": "激光点云 车道线标注 行人检测 泊车场景 驾驶行为 雨雪场景 交通标志 高精地图 座舱语音 路侧感知",
    "smart-ocean": "海温剖面 船舶识别 近岸养殖 海底地形 潮位观测 赤潮遥感 海洋生物图像 水声信号 海冰监测 渔船作业",
    "biomanufacturing": "酶催化反应 发酵过程 代谢网络 菌种资源 合成路线 细胞图像 蛋白表达 药物分子",
}  # fmt: skip
KINDS = {  # what is in the files, by modality
    "text": "语料 问答对 文本标注 指令数据 术语库 知识图谱 文档 对话记录",
    "image": "图像 标注图像 影像 图片 遥感影像 显微图像",
    "audio": "语音 录音转写 音频",
    "video": "视频 监控视频 视频片段",
    "iot": "时序数据 监测数据 传感器记录 运行日志",
    "multimodal": "图文对 多模态数据 点云与图像",
    "tabular": "统计表 名录 明细 台账 统计数据 汇总表 清单",
    "other": "资料 样本 数据",
}  # fmt: skip
ENDS = "数据集 数据 资料 训练集 样本库 专题库 评测集 资源 基准集"
USES = (
    "智能识别 故障预警 趋势预测 辅助诊断 智能问答 质量检测 目标检测 语义分割 信息抽取 异常发现 "
    "路径规划 风险评估 知识推理 内容生成 分类分级 需求预测 自动化巡检 决策支持 情感分析 机器翻译"
)
TASKS = "分类 目标检测 语义分割 问答 文本生成 命名实体识别 回归预测 异常检测 语音识别 机器翻译 摘要 关系抽取 姿态估计 时间序列预测 检索 排序"
METHODS = "人工采集 传感器自动采集 业务系统导出 网络公开采集 仿真合成 众包标注 专家复核 历史档案数字化"
QUALITIES = "经双人复核 覆盖全年 按月更新 含时间与位置 已脱敏 字段齐全 采样均衡 含难例 标注一致性较高 附说明文档 按行业标准编码 含采集设备参数"
PERIODS = "2015 2016 2017 2018 2019 2020 2021 2022 2023 2024 2025 2026"
BODIES = (  # provider names end so, with the kind of party
    "科技有限公司:enterprise 数据局:authority 大学:university 研究院:research_institute 数据服务中心:data_service 集团有限公司:central_enterprise "
    "统计局:authority 交通运输局:authority 行业协会:industry_association 医院:data_service 数据交易所:data_exchange 标注基地:annotation_enterprise "
    "标准化研究所:standards_body 测评中心:evaluator 农业农村局:authority 智能技术研究所:research_institute"
)
PLACE_SIGNS = "安平江河山阳城新东西南北湖海林宁州清长永德兴昌泰和龙云石泉溪华丰福康金华水木文武义乐嘉通达明远景秀峰岩潭浦川原口岭门塘桥"
PLACE_ENDS = "县 区 市 镇 新区 开发区"
FORMATS = "CSV JSON XLSX ZIP TXT PNG JPG PARQUET XML WAV MP4 JSONL PDF SHP TFRECORD DICOM"
COLUMNS = "编号 名称 时间 地点 类别 数值 单位 经度 纬度 标签 说明 来源 设备编号 温度 湿度 状态 文件名 标注人 置信度 更新日期"
LICENSES = "CC-BY-4.0 CC0-1.0 Apache-2.0 ODbL-1.0 CC-BY-NC-4.0 数据使用协议"
LANGUAGES = "zh en zh-Hant bo ug mn"
ENGLISH = (
    "dataset images records traffic speech medical annotated corpus monitoring sensor detection road quality question answering benchmark energy "
    "crop defect industrial weather video trajectory classification segmentation multilingual finance education urban"
)
