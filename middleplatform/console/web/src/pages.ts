/* Every page: its name in the address, the group it stands in, what a user must be allowed to see it. */
import {defineAsyncComponent, type Component} from 'vue'
import type {Words} from './i18n'
import Fetching from './shell/Fetching.vue'

export type Group = 'operate' | 'figures' | 'engineer' | 'govern'
export const GROUPS: Record<Group, Words> = {
  operate: {zh: '运行', en: 'Operation'},
  figures: {zh: '指标', en: 'Figures'},
  engineer: {zh: '工程', en: 'Engineering'},
  govern: {zh: '治理', en: 'Governance'},
}

const AGAIN_MS = 2000
const TRIES = 900

export interface Page {
  name: string
  group: Group
  words: Words
  /** The permission without which it is not shown; '' where every user has it. */
  needs: string
  /** It is reached from other pages, and stands in no menu. */
  unlisted?: boolean
  shown: Component
}

const page = (group: Group, name: string, zh: string, en: string, needs: string, load: () => Promise<Component>): Page => ({
  group, name, words: {zh, en}, needs,
  shown: defineAsyncComponent({
    loader: load, loadingComponent: Fetching, delay: 300,
    // A page whose file does not come is asked for until it does: the network comes back, or the platform with another release.
    onError: (_, retry, fail, attempts) => (attempts > TRIES ? fail() : setTimeout(retry, AGAIN_MS)),
  }),
})

export const PAGES: readonly Page[] = [
  page('operate', 'overview', '总览', 'Overview', 'live.read', () => import('./overview/Page.vue')),
  page('operate', 'map', '一张图', 'Map', 'live.read', () => import('./map/Page.vue')),
  page('operate', 'equipment', '设备', 'Equipment', 'live.read', () => import('./equipment/Page.vue')),
  page('operate', 'alarms', '报警', 'Alarms', 'alarm.read', () => import('./alarms/Page.vue')),
  page('operate', 'shifts', '交接班', 'Shifts', 'shift.read', () => import('./shifts/Page.vue')),
  page('operate', 'trends', '趋势', 'Trends', 'history.read', () => import('./trends/Page.vue')),
  page('operate', 'sequences', '顺序控制', 'Sequences', 'sequence.read', () => import('./sequences/Page.vue')),
  page('operate', 'chambers', '硐室', 'Chambers', 'live.read', () => import('./chambers/Page.vue')),
  page('operate', 'tags', '挂牌', 'Tags', 'control.read', () => import('./control/Page.vue')),
  {...page('operate', 'commands', '命令', 'Commands', 'control.order', () => import('./control/Machine.vue')), unlisted: true},
  page('operate', 'values', '测点', 'Values', 'live.read', () => import('./values/Page.vue')),
  {...page('operate', 'account', '账户', 'Account', '', () => import('./shell/Account.vue')), unlisted: true},
  page('figures', 'figures', '使用率', 'Utilisation', 'kpi.read', () => import('./figures/Page.vue')),
  page('figures', 'energy', '能耗', 'Energy', 'kpi.read', () => import('./figures/EnergyPage.vue')),
  page('figures', 'production', '产量', 'Output', 'kpi.read', () => import('./figures/ProductionPage.vue')),
  page('figures', 'reports', '报表', 'Reports', 'report.run', () => import('./reports/Page.vue')),
  page('figures', 'excluded', '剔除时段', 'Excluded time', 'ticket.read', () => import('./figures/ExcludedPage.vue')),
  page('engineer', 'onboarding', '接入设备', 'Onboarding', 'device.ask', () => import('./workshop/Page.vue')),
  page('engineer', 'diagnostics', '诊断', 'Diagnostics', 'device.ask', () => import('./workshop/Diagnostics.vue')),
  page('engineer', 'rules', '联动试验', 'Rule bench', 'site.read', () => import('./workshop/Rules.vue')),
  page('govern', 'catalogue', '数据目录', 'Catalogue', 'catalogue.read', () => import('./governance/catalogue/Page.vue')),
  page('govern', 'quality', '数据质量', 'Quality', 'quality.read', () => import('./governance/quality/Page.vue')),
  page('govern', 'standard', '标准化', 'Standard', 'catalogue.read', () => import('./governance/standard/Page.vue')),
  page('govern', 'lineage', '血缘', 'Lineage', 'lineage.read', () => import('./governance/lineage/Page.vue')),
  page('govern', 'access', '用户与令牌', 'Access', 'users.manage', () => import('./governance/access/Page.vue')),
  page('govern', 'audit', '审计', 'Audit', 'audit.read', () => import('./governance/audit/Page.vue')),
  page('govern', 'manual', '人工录入', 'Manual entries', 'history.read', () => import('./governance/manual/Page.vue')),
  page('govern', 'dictionaries', '字典', 'Dictionaries', 'catalogue.read', () => import('./governance/dictionaries/Page.vue')),
  page('govern', 'versions', '配置版本', 'Site versions', 'site.read', () => import('./governance/versions/Page.vue')),
]
/** Where `/` leads. */
export const HOME = 'overview'
