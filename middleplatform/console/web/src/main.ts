import {createApp} from 'vue'
import App from './App.vue'
import './look'
import './theme.css'

createApp(App).mount('#app')
